using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.Curricula;

/// <summary>Difficulty of each class and the classes from easy to hard.</summary>
public sealed record ClassDifficulty(ValueList<double> Values, ValueList<int> EasyToHard)
{
    /// <summary>
    /// Averages the seeds' tables and ranks (search-strategies 1.3, reconstructed): D-AUC d = 1 - mean accuracy, ties by final accuracy;
    /// D-VAR d = variance over points with never-learned classes (below the guard percentile) last; D-LOSS d = mean cross-entropy. What is
    /// tied even then is ordered by <paramref name="byLoss"/>, the mean cross-entropy; searches before 0.4 had the class id in its place.
    /// </summary>
    public static ClassDifficulty Of(DifficultyMeasure measure, double guardPercentile,
        ValueList<DifficultyTable> seeds, bool byLoss = false)
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
