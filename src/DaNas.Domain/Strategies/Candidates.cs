using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>
/// The architectures among which a search chooses at its end: the best by score, and a share that is drawn at random from the alive blocks at the budget's cost, so that the
/// finals can find what the supernet does not see: the best by score differ in a block or two, and are wrong together where the supernet is.
/// </summary>
internal static class Candidates
{
    /// <summary>Under the budget where anything fits it, ordered by score (the sum over layers, or the product of probabilities); the best one by score is always there.</summary>
    public static ValueList<RankedArchitecture> Of(SearchState state, ScoreTable scores, EvidenceKind evidence)
    {
        DerivationOptions o = state.Config!.Derivation;
        Dictionary<(int, string), double> known = scores.Scores.ToDictionary(s => (s.Layer, s.Block), s => s.Score);
        double Score(int layer, string block) => known.GetValueOrDefault((layer, block)) is var score && evidence == EvidenceKind.Probability ? score : Math.Exp(score);
        ValueList<RankedArchitecture> best = ArchitectureSelector.Select(state.Space!, state.Alive!, Score, ArchitectureBudget.Of(state.Space!, state.Config.Cost), o.Candidates);
        int random = Math.Min((int)Math.Round(o.Random * o.Candidates, MidpointRounding.AwayFromZero), o.Candidates - 1);
        if (random == 0)
            return best;

        CostTable costs = CostTable.Of(state.Space!);
        RankedArchitecture[] kept = [.. best.Take(o.Candidates - random)];
        ValueList<Architecture> drawn = AtBudget(state, state.Space!.Only(state.Alive!), random, a => kept.All(k => k.Architecture != a));
        return best.Take(o.Candidates - drawn.Count).Concat(drawn.Where(a => best.Take(o.Candidates - drawn.Count).All(b => b.Architecture != a)).Select(a => ArchitectureSelector.Scored(costs, a, Score) with { Random = true }))
            .OrderByDescending(r => r.LogScore).ThenBy(r => r.Architecture.Text, StringComparer.Ordinal).ToValueList();
    }

    /// <summary>Random architectures of a space, whose cost is at most the budget and less than the controls' tolerance under it; fewer where no more are found.</summary>
    public static ValueList<Architecture> AtBudget(SearchState state, SearchSpace space, int count, Func<Architecture, bool> wanted)
    {
        SearchConfig config = state.Config!;
        long target = (long)(state.Budget / (1 + config.Controls.Tolerance));
        return RandomArchitectures.Near(
            space, ArchitectureBudget.Of(state.Space!, config.Cost) with { Macs = target }, config.Controls with { Count = count }, SeededRandom.Derive(config.Search.Seed, "random-strategy"), wanted);
    }
}
