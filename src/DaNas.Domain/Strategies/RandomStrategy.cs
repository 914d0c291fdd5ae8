using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>
/// Architectures drawn at random at the budget: of one, what any search must beat; of many, random search, whose choice the finals make.
/// </summary>
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
            : ArchitectureSelector.Select(state.Space!, state.Alive!, (_, _) => 1,
                ArchitectureBudget.Of(state.Space!, state.Config!.Cost), 1);
    }
}
