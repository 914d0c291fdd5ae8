using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>
/// The architectures among which a search chooses at its end: the best by score, and a share that is drawn at random from the alive blocks
/// close under the budget. The best by score differ in a block or two and are wrong together where the supernet is; among the random ones
/// the finals can find what the supernet does not see.
/// </summary>
public static class Candidates
{
    /// <summary>
    /// Under the budget where anything fits it, ordered by score (the sum over layers, or the product of probabilities); the best one by
    /// score is always there.
    /// </summary>
    public static ValueList<RankedArchitecture> Of(SearchState state, ScoreTable scores, EvidenceKind evidence)
    {
        DerivationOptions o = state.Config!.Derivation;
        Dictionary<(int, string), double> known = scores.Scores.ToDictionary(s => (s.Layer, s.Block), s => s.Score);
        double Score(int layer, string block) => known.GetValueOrDefault((layer, block)) is var score
            && evidence == EvidenceKind.Probability ? score : Math.Exp(score);
        ValueList<RankedArchitecture> best = ArchitectureSelector.Select(
            state.Space!, state.Alive!, Score, ArchitectureBudget.Of(state.Space!, state.Config.Cost), o.Candidates);
        int random = Drawn(o);
        if (random == 0)
            return best;

        CostTable costs = CostTable.Of(state.Space!);
        HashSet<Architecture> kept = [.. best.Take(o.Candidates - random).Select(r => r.Architecture)];
        RankedArchitecture[] drawn = [.. AtBudget(state, state.Space!.Only(state.Alive!), random, "random-finalists",
            a => !kept.Contains(a)).Select(a => ArchitectureSelector.Scored(costs, a, Score) with { Random = true })];
        return best.Where(r => kept.Contains(r.Architecture)).Concat(drawn)
            .Concat(best.Where(r => !kept.Contains(r.Architecture) && drawn.All(d => d.Architecture != r.Architecture))).Take(o.Candidates)
            .OrderByDescending(r => r.LogScore).ThenBy(r => r.Architecture.Text, StringComparer.Ordinal).ToValueList();
    }

    /// <summary>How many candidates are asked for at random: the best one by score is always there.</summary>
    public static int Drawn(DerivationOptions o) => Math.Min(
        (int)Math.Round(o.Random * o.Candidates, MidpointRounding.AwayFromZero), o.Candidates - 1);

    /// <summary>
    /// Random architectures of a space, drawn as controls are, which cost at most the budget and, t being <c>controls.tolerance</c>, at
    /// least (1 - t) / (1 + t) of it; fewer where no more are found.
    /// </summary>
    public static ValueList<Architecture> AtBudget(SearchState state, SearchSpace space, int count, string stream,
        Func<Architecture, bool> wanted)
    {
        SearchConfig config = state.Config!;
        long target = (long)(state.Budget / (1 + config.Controls.Tolerance));
        return RandomArchitectures.Near(
            space, ArchitectureBudget.Of(state.Space!, config.Cost) with { Macs = target }, config.Controls with { Count = count },
                SeededRandom.Derive(config.Search.Seed, stream), wanted);
    }
}
