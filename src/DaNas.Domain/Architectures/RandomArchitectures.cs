using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Architectures;

/// <summary>
/// Random architectures of about the same MACs as a given one: the control that every search is shown beside. Uniform over the band of
/// costs; of earlier versions, a uniform draw that is moved by random single-layer changes that bring its cost nearer until it lies within
/// the tolerance.
/// </summary>
public static class RandomArchitectures
{
    private const int Restarts = 2000;
    private const int Moves = 200;

    /// <summary>
    /// Up to <c>options.Count</c> different architectures whose MACs lie within <c>options.Tolerance</c> (a fraction) of
    /// the budget's, and whose latency is under its bound where it has one; fewer where no more are found.
    /// </summary>
    public static ValueList<Architecture> Near(SearchSpace space, ArchitectureBudget budget, ControlOptions options, long seed,
        Func<Architecture, bool> wanted)
    {
        if (options.Draw == ControlDraw.Uniform)
            return new ArchitectureBand(space, budget.Macs, options.Tolerance)
                .Draw(options.Count, seed, a => wanted(a) && !(budget.Latency?.Of(a) > budget.Milliseconds));
        CostTable costs = CostTable.Of(space);
        SeededRandom random = new(seed);
        List<Architecture> found = [];
        for (int r = 0; r < Restarts && found.Count < options.Count; r++)
        {
            if (Walk(space, costs, budget.Macs, options.Tolerance, random) is { } a && !(budget.Latency?.Of(a) > budget.Milliseconds)
                && wanted(a) && !found.Contains(a))
                found.Add(a);
        }

        return found.ToValueList();
    }

    private static Architecture? Walk(SearchSpace space, CostTable costs, long target, double tolerance, SeededRandom random)
    {
        string[] blocks = [.. space.Layers.Select(l => l.Candidates[random.NextInt(l.Candidates.Count)].Name)];
        long macs = costs.Fixed.Macs + blocks.Select((b, l) => costs.Of(l, b).Macs).Sum();
        for (int move = 0; move < Moves; move++)
        {
            if (Math.Abs(macs - target) <= tolerance * target)
                return new Architecture(space.Name, blocks.ToValueList());
            int layer = random.NextInt(blocks.Length);
            LayerSpec spec = space.Layers[layer];
            string candidate = spec.Candidates[random.NextInt(spec.Candidates.Count)].Name;
            long changed = macs - costs.Of(layer, blocks[layer]).Macs + costs.Of(layer, candidate).Macs;
            if (Math.Abs(changed - target) < Math.Abs(macs - target))
                (blocks[layer], macs) = (candidate, changed);
        }

        return null;
    }
}
