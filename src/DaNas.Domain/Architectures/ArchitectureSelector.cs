using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Architectures;

/// <summary>An architecture with the log-score that ranked it (sum over layers) and its cost.</summary>
public sealed record RankedArchitecture(Architecture Architecture, double LogScore, Cost Cost);

/// <summary>What an architecture may cost: multiply-adds, and milliseconds by a table where there is such a bound.</summary>
public sealed record ArchitectureBudget(long Macs, double Milliseconds, LatencyTable? Latency)
{
    public static ArchitectureBudget Of(SearchSpace space, CostOptions options) => options.TargetMilliseconds > 0
        ? new(SearchState.BudgetOf(space, options), options.TargetMilliseconds, options.Latency)
        : OfMacs(SearchState.BudgetOf(space, options));

    public static ArchitectureBudget OfMacs(long macs) => new(macs, double.PositiveInfinity, null);
}

/// <summary>
/// The best architectures under a budget of multiply-adds, exactly: a layer-by-layer search that drops a partial architecture only
/// when as many better ones as are wanted cost no more. Ties are broken by the canonical text.
/// </summary>
public static class ArchitectureSelector
{
    /// <summary>
    /// Up to <paramref name="count"/> architectures of the alive blocks, best first. Scores are positive and multiply over layers.
    /// Where nothing fits the budget, the single cheapest architecture is returned: the caller sees that its cost exceeds the budget.
    /// Under a bound on latency the choice is exact up to a thousandth of the bound.
    /// </summary>
    public static ValueList<RankedArchitecture> Select(
        SearchSpace space, AliveBlocks alive, Func<int, string, double> score, ArchitectureBudget budget, int count)
    {
        CostTable costs = CostTable.Of(space);
        long[] cheapestRest = CheapestRest(alive, costs);
        double[] quickestRest = QuickestRest(alive, budget);
        List<Partial> frontier = [new(null, string.Empty, 0, costs.Fixed.Macs, budget.Latency?.FixedMilliseconds ?? 0)];
        for (int layer = 0; layer < alive.Layers.Count; layer++)
        {
            List<Partial> next = [];
            foreach (Partial p in frontier)
            {
                foreach (string block in alive.Layers[layer])
                {
                    long macs = p.Macs + costs.Of(layer, block).Macs;
                    double milliseconds = p.Milliseconds + (budget.Latency?.Of(layer, block) ?? 0);
                    if (macs + cheapestRest[layer + 1] <= budget.Macs && milliseconds + quickestRest[layer + 1] <= budget.Milliseconds)
                        next.Add(new(p, block, p.LogScore + Math.Log(Math.Max(score(layer, block), 1e-300)), macs, milliseconds));
                }
            }

            frontier = double.IsFinite(budget.Milliseconds) ? Undominated(next, count, budget.Milliseconds / 1000) : Undominated(next, count);
        }

        if (frontier.Count == 0)
            return [Ranked(space, costs, Cheapest(space, alive, costs), score)];
        return frontier
            .Select(p => Ranked(space, costs, new Architecture(space.Name, p.Path().ToValueList()), score))
            .OrderByDescending(r => r.LogScore).ThenBy(r => r.Architecture.Text, StringComparer.Ordinal)
            .Take(count).ToValueList();
    }

    private static long[] CheapestRest(AliveBlocks alive, CostTable costs)
    {
        long[] rest = new long[alive.Layers.Count + 1];
        for (int l = alive.Layers.Count - 1; l >= 0; l--)
            rest[l] = rest[l + 1] + alive.Layers[l].Min(b => costs.Of(l, b).Macs);
        return rest;
    }

    private static double[] QuickestRest(AliveBlocks alive, ArchitectureBudget budget)
    {
        double[] rest = new double[alive.Layers.Count + 1];
        for (int l = alive.Layers.Count - 1; budget.Latency is { } table && l >= 0; l--)
            rest[l] = rest[l + 1] + alive.Layers[l].Min(b => table.Of(l, b));
        return rest;
    }

    /// <summary>With two costs: as many better ones that are no dearer and, to a step, no slower.</summary>
    private static List<Partial> Undominated(List<Partial> partials, int count, double step)
    {
        List<Partial> kept = [];
        foreach (Partial p in partials.OrderByDescending(p => p.LogScore).ThenBy(p => p.Macs).ThenBy(p => p.Text(), StringComparer.Ordinal))
        {
            if (kept.Count(q => q.Macs <= p.Macs && Math.Ceiling(q.Milliseconds / step) <= Math.Ceiling(p.Milliseconds / step)) < count)
                kept.Add(p);
        }

        return kept;
    }

    private static List<Partial> Undominated(List<Partial> partials, int count)
    {
        List<Partial> kept = [];
        PriorityQueue<double, double> best = new();
        partials.Sort(Better);
        foreach (Partial p in partials)
        {
            if (best.Count >= count && best.Peek() >= p.LogScore)
                continue;
            best.Enqueue(p.LogScore, p.LogScore);
            if (best.Count > count)
                best.Dequeue();
            kept.Add(p);
        }

        return kept;
    }

    private static int Better(Partial a, Partial b)
    {
        int order = a.Macs.CompareTo(b.Macs);
        if (order == 0)
            order = b.LogScore.CompareTo(a.LogScore);
        return order != 0 ? order : string.CompareOrdinal(a.Text(), b.Text());
    }

    private static Architecture Cheapest(SearchSpace space, AliveBlocks alive, CostTable costs) =>
        new(space.Name, alive.Layers.Select((l, i) => l.OrderBy(b => costs.Of(i, b).Macs).ThenBy(b => b, StringComparer.Ordinal).First()).ToValueList());

    private static RankedArchitecture Ranked(SearchSpace space, CostTable costs, Architecture a, Func<int, string, double> score) =>
        new(a, a.Blocks.Select((b, l) => Math.Log(Math.Max(score(l, b), 1e-300))).Sum(), costs.Of(a));

    private sealed record Partial(Partial? Before, string Block, double LogScore, long Macs, double Milliseconds)
    {
        public IEnumerable<string> Path() => Before is null ? [] : Before.Path().Append(Block);

        public string Text() => string.Join('.', Path());
    }
}
