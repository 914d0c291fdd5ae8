using System.Globalization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Pruning;

/// <summary>The pruning rules (search-strategies 1.7, reconstructed). Ties go to the block that stands earlier in the space.</summary>
public static class PrunePolicy
{
    /// <summary>
    /// What a search removes: what the rule says, less the blocks without which no architecture under the budget would be left. Of those,
    /// the ones that save most stay, one after the other, until something fits.
    /// </summary>
    public static ValueList<Removal> Decide(SearchState state, SearchPhase.Scoring phase)
    {
        ArchitectureBudget budget = ArchitectureBudget.Of(state.Space!, state.Config!.Cost);
        CostTable costs = CostTable.Of(state.Space!);
        List<Removal> removed = [.. state.Config.Prune.When == PruneWhen.Sure
            ? SurePruning.Decide(state, phase) : Decide(phase.Scores, state.Alive!, state.Config.Prune)];
        while (removed.Count > 0)
        {
            AliveBlocks left = state.Alive!.Without(removed.Select(r => (r.Layer, r.Block)).ToHashSet());
            if (budget.Allows(costs, ArchitectureSelector.Select(state.Space!, left, (_, _) => 1, budget, 1)[0].Architecture))
                break;
            double Price(int layer, string block) => ((double)costs.Of(layer, block).Macs / budget.Macs)
                + (budget.Latency is { } t ? t.Of(layer, block) / budget.Milliseconds : 0);
            Removal saves = removed.OrderByDescending(r => left.Layers[r.Layer].Min(b => Price(r.Layer, b)) - Price(r.Layer, r.Block))
                .ThenBy(r => r.Layer).ThenBy(r => r.Block, StringComparer.Ordinal).First();
            removed.Remove(saves);
        }

        return removed.ToValueList();
    }

    /// <summary>The rule of a stage's pruning, for its event.</summary>
    public static string Name(SearchState state, SearchPhase.Scoring phase)
    {
        string rule = $"{ConfigSection.Kebab(state.Config!.Prune.Rule.ToString())} " +
            $"{state.Config.Prune.Ratio.ToString(CultureInfo.InvariantCulture)}";
        return state.Config.Prune.When == PruneWhen.Sure ? $"{rule}, {SurePruning.Name(state, phase)}" : rule;
    }

    /// <summary>The blocks to remove, ordered by layer and block; a layer keeps at least <c>keep-at-least</c> blocks.</summary>
    public static ValueList<Removal> Decide(ScoreTable scores, AliveBlocks alive, PruneOptions options) =>
        (options.Rule switch
        {
            PruneRule.Global => Global(scores, alive, options),
            PruneRule.Threshold => alive.Layers.SelectMany((_, l) => Threshold(scores.OfLayer(l), options)),
            _ => alive.Layers.SelectMany((_, l) => LayerWise(scores.OfLayer(l), options)),
        }).OrderBy(r => r.Layer).ThenBy(r => r.Block, StringComparer.Ordinal).ToValueList();

    /// <summary>P1: the floor(r n) lowest of each layer.</summary>
    private static IEnumerable<Removal> LayerWise(ValueList<BlockScore> layer, PruneOptions o)
    {
        int count = o.Removed(layer.Count);
        BlockScore[] worst = Worst(layer);
        for (int i = 0; i < count; i++)
            yield return new(worst[i].Layer, worst[i].Block, worst[i].Score, worst[count].Score,
                Invariant($"among the {count} lowest of {layer.Count} in its layer (ratio {o.Ratio})"));
    }

    /// <summary>P3: below r times the best of the layer.</summary>
    private static IEnumerable<Removal> Threshold(ValueList<BlockScore> layer, PruneOptions o)
    {
        double cut = o.Ratio * layer.Select(s => s.Score).DefaultIfEmpty(0).Max();
        return Worst(layer).Take(Math.Max(0, layer.Count - o.KeepAtLeast)).Where(s => s.Score < cut)
            .Select(s => new Removal(s.Layer, s.Block, s.Score, cut, Invariant($"below {o.Ratio} of the best score of its layer")));
    }

    /// <summary>P2: the lowest r of all alive blocks by score relative to the best of their layer.</summary>
    private static IEnumerable<Removal> Global(ScoreTable scores, AliveBlocks alive, PruneOptions o)
    {
        Dictionary<int, double> best = scores.Scores.GroupBy(s => s.Layer).ToDictionary(g => g.Key, g => g.Max(s => s.Score));
        (BlockScore Score, double Relative)[] ranked = [.. scores.Scores
            .Select((s, i) => (Score: s, Relative: best[s.Layer] > 0 ? s.Score / best[s.Layer] : 1, Index: i))
            .OrderBy(x => x.Relative).ThenByDescending(x => x.Index).Select(x => (x.Score, x.Relative))];
        int count = Math.Min((int)Math.Floor((o.Ratio * ranked.Length) + 1e-9), ranked.Length - 1);
        Dictionary<int, int> left = alive.Layers.Select((l, i) => (l.Count, i)).ToDictionary(x => x.i, x => x.Count);
        int removed = 0;
        foreach ((BlockScore s, double relative) in ranked)
        {
            if (removed == count)
                yield break;
            if (left[s.Layer] <= o.KeepAtLeast)
                continue;
            left[s.Layer]--;
            removed++;
            yield return new(s.Layer, s.Block, s.Score, ranked[count].Relative * best[s.Layer], Invariant(
                $"relative score {relative:0.####} is among the {count} lowest of {ranked.Length} alive blocks (ratio {o.Ratio})"));
        }
    }

    internal static BlockScore[] Worst(ValueList<BlockScore> layer) =>
        [.. layer.Select((s, i) => (s, i)).OrderBy(x => x.s.Score).ThenByDescending(x => x.i).Select(x => x.s)];
}
