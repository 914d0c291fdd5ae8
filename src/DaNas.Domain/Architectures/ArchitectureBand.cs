using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Architectures;

/// <summary>
/// All architectures of a space whose MACs lie within a tolerance of a target: how many they are, and uniform draws. Counted by dynamic
/// programming over costs in whole cells, a little too wide by the rounding; what lies outside the exact band is drawn again, so every
/// architecture in it is equally likely.
/// </summary>
public sealed class ArchitectureBand
{
    private const int Cells = 4096;

    /// <summary>Bands up to here are listed.</summary>
    private const int Listed = 2_000;

    private const int Tries = 100_000;

    private readonly SearchSpace space;
    private readonly CostTable costs;
    private readonly long low;
    private readonly long high;
    private readonly int[][] cells;

    /// <summary>[layer][cells so far]: in how many ways the layers from there on end in the band.</summary>
    private readonly double[][] ways;

    private readonly int first;

    public ArchitectureBand(SearchSpace space, long target, double tolerance)
    {
        this.space = space;
        costs = CostTable.Of(space);
        (low, high) = ((long)Math.Ceiling(target * (1 - tolerance)), (long)Math.Floor(target * (1 + tolerance)));
        double unit = Math.Max(1, high) / (double)Cells;
        int Cell(long macs) => (int)Math.Min(2 * Cells, Math.Round(macs / unit)); // What is far over the band never comes back into it.
        cells = [.. space.Layers.Select(l => l.Candidates.Select(b => Cell(costs.Of(l.Index, b.Name).Macs)).ToArray())];
        first = Cell(costs.Fixed.Macs);
        int slack = (space.Layers.Count / 2) + 1;
        (int from, int to) = (Cell(low) - slack, Cell(high) + slack);
        ways = [.. Enumerable.Range(0, space.Layers.Count + 1).Select(_ => new double[Math.Max(to, first) + 1])];
        for (int c = Math.Max(0, from); c <= to; c++)
            ways[^1][c] = 1;
        for (int l = space.Layers.Count - 1; l >= 0; l--)
        {
            for (int c = 0; c < ways[l].Length; c++)
                ways[l][c] = cells[l].Sum(b => Ways(l + 1, c + b));
        }
    }

    /// <summary>
    /// The number of architectures; exact up to two thousand, else within some per cent (counted with the cells' rounding, times the share
    /// of draws that hold).
    /// </summary>
    public double Count
    {
        get
        {
            if (ways[0][first] <= Listed)
                return All().Count();
            SeededRandom random = new(1);
            return ways[0][first] * Enumerable.Range(0, Listed).Count(_ => Holds(Draw(random))) / Listed;
        }
    }

    /// <summary>Different architectures drawn uniformly, fewer where the band has no more that are wanted.</summary>
    public ValueList<Architecture> Draw(int count, long seed, Func<Architecture, bool> wanted)
    {
        SeededRandom random = new(seed);
        if (ways[0][first] <= Listed)
        {
            Architecture[] all = [.. All().Where(wanted)];
            random.Shuffle(all.AsSpan());
            return all.Take(count).ToValueList();
        }

        List<Architecture> found = [];
        for (int i = 0; i < Tries && found.Count < count; i++)
        {
            Architecture a = Draw(random);
            if (Holds(a) && wanted(a) && !found.Contains(a))
                found.Add(a);
        }

        return found.ToValueList();
    }

    private double Ways(int layer, int c) => c < ways[layer].Length ? ways[layer][c] : 0;

    private bool Holds(Architecture a) => costs.Of(a).Macs is var macs && macs >= low && macs <= high;

    private Architecture Draw(SeededRandom random)
    {
        string[] blocks = new string[space.Layers.Count];
        int c = first;
        for (int l = 0; l < blocks.Length; l++)
        {
            double at = random.NextDouble() * ways[l][c];
            int chosen = -1;
            for (int b = 0; b < cells[l].Length; b++)
            {
                double part = Ways(l + 1, c + cells[l][b]);
                if (part == 0)
                    continue;
                chosen = b;
                at -= part;
                if (at < 0)
                    break;
            }

            blocks[l] = space.Layers[l].Candidates[chosen].Name;
            c += cells[l][chosen];
        }

        return new(space.Name, blocks.ToValueList());
    }

    /// <summary>All of a band that is small enough to be listed, in the space's order.</summary>
    private IEnumerable<Architecture> All() => Complete([], first).Where(Holds);

    private IEnumerable<Architecture> Complete(ValueList<string> blocks, int c)
    {
        int layer = blocks.Count;
        if (layer == space.Layers.Count)
            return [new(space.Name, blocks)];
        return space.Layers[layer].Candidates.SelectMany((b, i) => Ways(layer + 1, c + cells[layer][i]) > 0
            ? Complete(blocks.Add(b.Name), c + cells[layer][i]) : []);
    }
}
