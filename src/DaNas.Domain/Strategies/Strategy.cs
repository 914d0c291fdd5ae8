using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>
/// What differs between methods over one search space: it turns a stage's results into scores per (layer, block), and the last
/// scores into a ranked list of architectures. Everything else (stages, rounds, journal, retraining) is shared.
/// </summary>
public interface IStrategy
{
    /// <summary>Whether class difficulty is measured before the first stage.</summary>
    bool MeasuresDifficulty { get; }

    /// <summary>Whether a supernet is trained at all.</summary>
    bool TrainsSupernet { get; }

    /// <summary>Whether trainings by themselves choose among the ranked architectures, where <c>finals.rungs</c> asks for it.</summary>
    bool HoldsFinals => TrainsSupernet;

    /// <summary>Where a block's score comes from.</summary>
    EvidenceKind Evidence { get; }

    /// <summary>Best first, under the budget where anything fits it.</summary>
    ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores);
}

/// <summary>The strategies by name.</summary>
public static class Strategy
{
    public static IStrategy Of(SearchConfig config) => config.Search.Strategy switch
    {
        StrategyKind.UniformSinglePath => new UniformSinglePathStrategy(),
        StrategyKind.Random => new RandomStrategy(1),
        StrategyKind.RandomSearch => new RandomStrategy(config.Derivation.Candidates),
        StrategyKind.Given => new GivenStrategy(),
        _ => new DaNasStrategy(config),
    };
}

/// <summary>DA-NAS (reconstructed, arXiv 2003.12563): probabilities learned by gradient, classes from easy to all, blocks pruned between stages.</summary>
public sealed class DaNasStrategy(SearchConfig config) : IStrategy
{
    public bool MeasuresDifficulty => config.Curriculum.Order is ClassOrder.EasyFirst or ClassOrder.HardFirst;

    public bool TrainsSupernet => true;

    public EvidenceKind Evidence => config.Evidence.Kind;

    /// <summary>The product of probabilities (or the sum of accuracies or effects) over layers, maximised exactly under the budget.</summary>
    public ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores) => Candidates.Of(state, scores, Evidence);
}

/// <summary>Single-path one-shot with uniform sampling (Guo et al. 2020): no schedule, no pruning; a block's score is supernet accuracy given the block.</summary>
public sealed class UniformSinglePathStrategy : IStrategy
{
    public bool MeasuresDifficulty => false;

    public bool TrainsSupernet => true;

    public EvidenceKind Evidence => EvidenceKind.Validation;

    public ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores) => Candidates.Of(state, scores, Evidence);
}

/// <summary>Architectures drawn at random at the budget: of one, what any search must beat; of many, random search, whose choice the finals make.</summary>
public sealed class RandomStrategy(int count) : IStrategy
{
    public bool MeasuresDifficulty => false;

    public bool TrainsSupernet => false;

    public bool HoldsFinals => count > 1;

    public EvidenceKind Evidence => EvidenceKind.Validation;

    public ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores)
    {
        CostTable costs = CostTable.Of(state.Space!);
        ValueList<Architecture> drawn = Candidates.AtBudget(state, state.Space!, count, "random-strategy", _ => true);
        return drawn.Count > 0
            ? drawn.Select(a => new RankedArchitecture(a, 0, costs.Of(a))).ToValueList()
            : ArchitectureSelector.Select(state.Space!, state.Alive!, (_, _) => 1, ArchitectureBudget.Of(state.Space!, state.Config!.Cost), 1);
    }
}

/// <summary>No search at all: architectures that are known, in the order in which they were given; all of them are trained.</summary>
public sealed class GivenStrategy : IStrategy
{
    public bool MeasuresDifficulty => false;

    public bool TrainsSupernet => false;

    public EvidenceKind Evidence => EvidenceKind.Validation;

    public ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores)
    {
        CostTable costs = CostTable.Of(state.Space!);
        return state.Config!.Search.Architectures.Select(text =>
        {
            Architecture a = Architecture.Parse(state.Space!, text) ?? throw new InvalidDataException($"{text} is no architecture of {state.Space!.Name}");
            return new RankedArchitecture(a, 0, costs.Of(a));
        }).ToValueList();
    }
}
