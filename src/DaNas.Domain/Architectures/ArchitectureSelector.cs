using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Architectures;

/// <summary>
/// The best architectures under a budget of MACs, exactly: a layer-by-layer search that drops a partial architecture only
/// when as many better ones as are wanted cost no more. Ties are broken by the canonical text.
/// </summary>
public static class ArchitectureSelector
{
    /// <summary>
    /// Up to <paramref name="count"/> architectures of the alive blocks, best first. Scores are positive and multiply over layers. Where
    /// nothing fits the budget, a single architecture is returned that does not (<see cref="ArchitectureBudget.Allows"/>): the cheapest, or
    /// under a bound on latency the quickest. With that second bound every block's two costs are rounded up to a thousandth of theirs, and
    /// the choice is exact for the rounded costs: it keeps both bounds, and may miss what comes nearer to one than the number of layers in
    /// thousandths.
    /// </summary>
    public static ValueList<RankedArchitecture> Select(
        SearchSpace space, AliveBlocks alive, Func<int, string, double> score, ArchitectureBudget budget, int count)
    {
        CostTable costs = CostTable.Of(space);
        List<Partial> frontier = budget.Latency is { } table
            ? TwoBounds(alive, new Grid(alive, costs, table, budget), score, count) : OneBound(alive, costs, score, (budget.Macs, count));
        if (frontier.Count == 0)
            return [Scored(costs, Least(space, alive, budget.Latency is { } t ? t.Of : (l, b) => costs.Of(l, b).Macs), score)];
        return frontier
            .Select(p => Scored(costs, new Architecture(space.Name, p.Path().ToValueList()), score))
            .OrderByDescending(r => r.LogScore).ThenBy(r => r.Architecture.Text, StringComparer.Ordinal)
            .Take(count).ToValueList();
    }

    /// <summary>An architecture with the score that would rank it.</summary>
    public static RankedArchitecture Scored(CostTable costs, Architecture a, Func<int, string, double> score) =>
        new(a, a.Blocks.Select((b, l) => Math.Log(Math.Max(score(l, b), 1e-300))).Sum(), costs.Of(a));

    private static List<Partial> OneBound(AliveBlocks alive, CostTable costs, Func<int, string, double> score,
        (long Macs, int Count) wanted)
    {
        long[] cheapestRest = CheapestRest(alive, costs);
        List<Partial> frontier = [new(null, string.Empty, 0, costs.Fixed.Macs, 0)];
        for (int layer = 0; layer < alive.Layers.Count; layer++)
        {
            List<Partial> next = [];
            foreach (Partial p in frontier)
            {
                foreach (string block in alive.Layers[layer])
                {
                    long macs = p.Macs + costs.Of(layer, block).Macs;
                    if (macs + cheapestRest[layer + 1] <= wanted.Macs)
                        next.Add(new(p, block, p.LogScore + Math.Log(Math.Max(score(layer, block), 1e-300)), macs, 0));
                }
            }

            frontier = Undominated(next, wanted.Count);
        }

        return frontier;
    }

    /// <summary>The same over two costs in whole cells.</summary>
    private static List<Partial> TwoBounds(AliveBlocks alive, Grid grid, Func<int, string, double> score, int count)
    {
        List<Partial> frontier = [new(null, string.Empty, 0, grid.FixedMacs, grid.FixedTime)];
        for (int layer = 0; layer < alive.Layers.Count; layer++)
        {
            (string Block, double LogScore, int Macs, int Time)[] choices = [.. alive.Layers[layer]
                .Select((b, i) => (b, Math.Log(Math.Max(score(layer, b), 1e-300)), grid[layer, i].Macs, grid[layer, i].Time))];
            (int Macs, int Time) most = (Grid.Cells - grid.Rest[layer + 1].Macs, Grid.Cells - grid.Rest[layer + 1].Time);
            List<Partial> next = [];
            foreach (Partial p in frontier)
            {
                foreach ((string block, double logScore, int macs, int time) in choices)
                {
                    if (p.Macs + macs <= most.Macs && p.Time + time <= most.Time)
                        next.Add(new(p, block, p.LogScore + logScore, p.Macs + macs, p.Time + time));
                }
            }

            DominanceCount kept = new();
            next.Sort(BestFirst);
            frontier = next.FindAll(p => kept.AddUnless((int)p.Macs, p.Time, count));
        }

        return frontier;
    }

    private static long[] CheapestRest(AliveBlocks alive, CostTable costs)
    {
        long[] rest = new long[alive.Layers.Count + 1];
        for (int l = alive.Layers.Count - 1; l >= 0; l--)
            rest[l] = rest[l + 1] + alive.Layers[l].Min(b => costs.Of(l, b).Macs);
        return rest;
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

    private static int BestFirst(Partial a, Partial b)
    {
        int order = b.LogScore.CompareTo(a.LogScore);
        if (order == 0)
            order = a.Macs.CompareTo(b.Macs);
        if (order == 0)
            order = a.Time.CompareTo(b.Time);
        return order != 0 ? order : string.CompareOrdinal(a.Text(), b.Text());
    }

    private static Architecture Least(SearchSpace space, AliveBlocks alive, Func<int, string, double> price) =>
        new(space.Name, alive.Layers.Select((l, i) => l.OrderBy(b => price(i, b)).ThenBy(b => b, StringComparer.Ordinal)
            .First()).ToValueList());

    private sealed record Partial(Partial? Before, string Block, double LogScore, long Macs, int Time)
    {
        public IEnumerable<string> Path() => Before is null ? [] : Before.Path().Append(Block);

        public string Text() => string.Join('.', Path());
    }

    /// <summary>Costs in thousandths of their bounds, each block's rounded up; what tables hold as differences may be negative.</summary>
    private sealed class Grid
    {
        public const int Cells = 1000;

        private readonly ArchitectureBudget budget;
        private readonly (int Macs, int Time)[][] blocks;

        public Grid(AliveBlocks alive, CostTable costs, LatencyTable table, ArchitectureBudget budget)
        {
            this.budget = budget;
            FixedMacs = OfMacs(costs.Fixed.Macs);
            FixedTime = OfTime(table.FixedMilliseconds);
            blocks = [.. alive.Layers.Select((l, i) => l.Select(b => (OfMacs(costs.Of(i, b).Macs), OfTime(table.Of(i, b)))).ToArray())];
            Rest = new (int, int)[blocks.Length + 1];
            for (int l = blocks.Length - 1; l >= 0; l--)
                Rest[l] = (Rest[l + 1].Macs + blocks[l].Min(b => b.Macs), Rest[l + 1].Time + blocks[l].Min(b => b.Time));
        }

        public int FixedMacs { get; }

        public int FixedTime { get; }

        /// <summary>What the layers from each one on cost at least.</summary>
        public (int Macs, int Time)[] Rest { get; }

        /// <summary>A block by its layer and its place among the alive ones.</summary>
        public (int Macs, int Time) this[int layer, int index] => blocks[layer][index];

        private int OfMacs(long macs) => (int)Math.Min(2 * Cells, Math.Ceiling((double)macs * Cells / budget.Macs));

        private int OfTime(double milliseconds) => (int)Math
            .Clamp(Math.Ceiling(milliseconds * Cells / budget.Milliseconds), -2 * Cells, 2 * Cells);
    }

    /// <summary>
    /// How many of what was added is no dearer and no slower than something: a binary indexed tree over the cells of both (Fenwick 1994).
    /// </summary>
    private sealed class DominanceCount
    {
        private const int Rows = 1 << 10;
        private const int Columns = 1 << 12;

        private readonly int[] tree = new int[(Rows + 1) * (Columns + 1)];

        /// <summary>Adds a point, unless as many as a number of others dominate it.</summary>
        public bool AddUnless(int macs, int time, int most)
        {
            int row = Math.Clamp(macs + 1, 1, Rows), column = Math.Clamp(time + (Columns / 2), 1, Columns);
            int before = 0;
            for (int i = row; i > 0 && before < most; i -= i & -i)
            {
                for (int j = column; j > 0; j -= j & -j)
                    before += tree[(i * (Columns + 1)) + j];
            }

            if (before >= most)
                return false;
            for (int i = row; i <= Rows; i += i & -i)
            {
                for (int j = column; j <= Columns; j += j & -j)
                    tree[(i * (Columns + 1)) + j]++;
            }

            return true;
        }
    }
}
