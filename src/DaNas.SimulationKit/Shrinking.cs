namespace DaNas.SimulationKit;

/// <summary>
/// Finds what of a failing list of faults is needed (ddmin: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
/// 2002).
/// </summary>
public static class Shrinking
{
    /// <summary>
    /// A part of <paramref name="all"/> that still fails, of which no single element can be left out. <paramref name="fails"/> runs a list;
    /// it must give the same answer for the same list, and true for all.
    /// </summary>
    public static IReadOnlyList<T> Minimal<T>(IReadOnlyList<T> all, Func<IReadOnlyList<T>, bool> fails)
    {
        IReadOnlyList<T> left = all;
        int parts = 2;
        while (left.Count > 0)
        {
            parts = Math.Min(parts, left.Count);
            if (Smaller(left, parts, fails) is { } smaller)
            {
                left = smaller;
                parts = Math.Max(2, parts - 1);
            }
            else if (parts == left.Count)
            {
                break;
            }
            else
            {
                parts *= 2;
            }
        }

        return left;
    }

    /// <summary>The first list without one of the parts that still fails; null where each part is needed.</summary>
    private static T[]? Smaller<T>(IReadOnlyList<T> all, int parts, Func<IReadOnlyList<T>, bool> fails)
    {
        for (int part = 0; part < parts; part++)
        {
            int from = all.Count * part / parts;
            int to = all.Count * (part + 1) / parts;
            T[] without = [.. all.Take(from), .. all.Skip(to)];
            if (fails(without))
                return without;
        }

        return null;
    }
}
