using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Faults;

/// <summary>
/// Finds the blocks that make a unit fail (a choice of ours, no source): short training steps on paths that are laid out as shifted
/// Latin rows, so that each block stands beside others of every layer in each set. A block is blamed when a path through it failed and
/// no path through it passed.
/// </summary>
public static class PathProbes
{
    /// <summary>
    /// Paths of <paramref name="sets"/> sets: path j of set s takes block (j + s l) mod n of layer l. Two sets already tell one bad block
    /// of any layer from the others.
    /// </summary>
    public static ValueList<PathProbe> Plan(AliveBlocks alive, int sets)
    {
        int longest = alive.Layers.Max(l => l.Count);
        List<ValueList<string>> paths = [];
        for (int s = 0; s < sets; s++)
        {
            for (int j = 0; j < longest; j++)
            {
                ValueList<string> path = alive.Layers.Select((blocks, l) => blocks[(j + (s * l)) % blocks.Count]).ToValueList();
                if (!paths.Contains(path))
                    paths.Add(path);
            }
        }

        return paths.Select(p => new PathProbe(p, null, string.Empty)).ToValueList();
    }

    /// <summary>The blamed blocks by layer and the space's order; empty when every failure could be another block's.</summary>
    public static ValueList<BlockRequest> Blame(AliveBlocks alive, IReadOnlyList<PathProbe> probes)
    {
        List<BlockRequest> blamed = [];
        for (int l = 0; l < alive.Layers.Count; l++)
        {
            int layer = l;
            foreach (string block in alive.Layers[l])
            {
                PathProbe[] through = [.. probes.Where(p => p.Path[layer] == block)];
                if (through.Any(p => p.Passed == false) && through.All(p => p.Passed != true))
                    blamed.Add(new BlockRequest(layer, block));
            }
        }

        return blamed.ToValueList();
    }
}
