using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.Curricula;

/// <summary>
/// Held-out accuracy and cross-entropy of each class at each point of a proxy's training: [points][classes], one table a seed.
/// </summary>
public sealed record DifficultyTable(ValueList<ValueList<double>> Accuracy, ValueList<ValueList<double>> Loss);

/// <summary>Difficulty of each class and the classes from easy to hard.</summary>
public sealed record ClassDifficulty(ValueList<double> Values, ValueList<int> EasyToHard)
{
    /// <summary>
    /// Averages the seeds' tables and ranks (search-strategies 1.3, reconstructed): D-AUC d = 1 - mean accuracy, ties by final accuracy;
    /// D-VAR d = variance over points with never-learned classes (below the guard percentile) last; D-LOSS d = mean cross-entropy. What is tied even then is ordered by
    /// <paramref name="byLoss"/>, the mean cross-entropy; searches before 0.4 had the class id in its place.
    /// </summary>
    public static ClassDifficulty Of(DifficultyMeasure measure, double guardPercentile, ValueList<DifficultyTable> seeds, bool byLoss = false)
    {
        double[][] accuracy = Mean(seeds.Select(s => s.Accuracy));
        double[][] loss = Mean(seeds.Select(s => s.Loss));
        int classes = accuracy[0].Length;
        double[] final = accuracy[^1];
        double[] d = [.. Enumerable.Range(0, classes).Select(c => measure switch
        {
            DifficultyMeasure.Variance => Variance([.. accuracy.Select(row => row[c])]),
            DifficultyMeasure.Loss => loss.Average(row => row[c]),
            _ => 1 - accuracy.Average(row => row[c]),
        })];
        double guard = final.Order().ElementAt((int)Math.Floor(guardPercentile * (classes - 1)));
        IEnumerable<int> order = Enumerable.Range(0, classes)
            .OrderBy(c => measure == DifficultyMeasure.Variance && final[c] < guard ? 1 : 0)
            .ThenBy(c => d[c]).ThenByDescending(c => final[c]).ThenBy(c => byLoss ? loss.Average(row => row[c]) : 0).ThenBy(c => c);
        return new(d.ToValueList(), order.ToValueList());
    }

    private static double[][] Mean(IEnumerable<ValueList<ValueList<double>>> tables)
    {
        ValueList<ValueList<double>>[] all = [.. tables];
        return [.. Enumerable.Range(0, all[0].Count).Select(t =>
            Enumerable.Range(0, all[0][0].Count).Select(c => all.Average(table => table[t][c])).ToArray())];
    }

    private static double Variance(double[] values)
    {
        double mean = values.Average();
        return values.Average(v => (v - mean) * (v - mean));
    }
}

/// <summary>Nested class subsets: the order in which classes enter, and how many a stage has.</summary>
public sealed record ClassCurriculum(ValueList<int> Order, ValueList<int> Counts, bool Subsampled)
{
    /// <summary>
    /// Orders the classes (easy first, or a control) and sizes the subsets: the first has max(minimum, ceil(f1 C)) classes, the others
    /// grow linearly with their fraction from there to all. With C = 1000 and 0.1, 0.3, 0.6, 1: 100, 300, 600, 1000; with C = 10: 4, 5, 7, 10.
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
    public ValueList<int> ClassesOf(int stage) => Subsampled ? Order.Order().ToValueList() : Order.Take(Counts[stage]).Order().ToValueList();

    private static ValueList<int> CountsOf(int classes, CurriculumOptions o)
    {
        double first = o.Fractions[0];
        int n1 = Math.Min(classes, Math.Max(o.MinimumClasses, (int)Math.Ceiling((first * classes) - 1e-9)));
        return o.Fractions.Select(f => first >= 1
            ? classes
            : n1 + (int)Math.Round((classes - n1) * (f - first) / (1 - first), MidpointRounding.AwayFromZero)).ToValueList();
    }
}
