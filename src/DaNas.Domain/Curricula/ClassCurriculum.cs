using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.Curricula;

/// <summary>Nested class subsets: the order in which classes enter, and how many a stage has.</summary>
public sealed record ClassCurriculum(ValueList<int> Order, ValueList<int> Counts, bool Subsampled)
{
    /// <summary>
    /// Orders the classes (easy first, or a control) and sizes the subsets: the first has max(minimum, ceil(f1 C)) classes, the others
    /// grow linearly with their fraction from there to all. With C = 1000 and 0.1, 0.3, 0.6, 1: 100, 300, 600, 1000; with C = 10: 4, 5, 7,
    /// 10.
    /// </summary>
    public static ClassCurriculum From(ValueList<int> easyToHard, CurriculumOptions options, long seed)
    {
        int classes = easyToHard.Count;
        int[] order = [.. easyToHard];
        if (options.Order == ClassOrder.HardFirst)
            Array.Reverse(order);
        if (options.Order == ClassOrder.Random)
            new SeededRandom(SeededRandom.Derive(seed, "class-order")).Shuffle(order.AsSpan());
        return new(order.ToValueList(), CountsOf(classes, options), options.Order == ClassOrder.AllClassesSubsampled);
    }

    /// <summary>The classes of a stage in ascending id; all of them when the control subsamples images instead.</summary>
    public ValueList<int> ClassesOf(int stage) => Subsampled
        ? Order.Order().ToValueList() : Order.Take(Counts[stage]).Order().ToValueList();

    private static ValueList<int> CountsOf(int classes, CurriculumOptions o)
    {
        double first = o.Fractions[0];
        int n1 = Math.Min(classes, Math.Max(o.MinimumClasses, (int)Math.Ceiling((first * classes) - 1e-9)));
        return o.Fractions.Select(f => first >= 1
            ? classes
            : n1 + (int)Math.Round((classes - n1) * (f - first) / (1 - first), MidpointRounding.AwayFromZero)).ToValueList();
    }
}
