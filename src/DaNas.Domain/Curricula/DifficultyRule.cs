using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Curricula;

/// <summary>How long the difficulty pass goes on, and what it says. Pure.</summary>
public static class DifficultyRule
{
    private const double Deviations = 3;

    /// <summary>
    /// How many points each proxy must have: another pass is due until there is an order, or the budget of passes is spent.
    /// </summary>
    public static int PointsDue(SearchState state, SearchPhase.MeasuringDifficulty phase)
    {
        DifficultyOptions o = state.Config!.Difficulty;
        int done = phase.Proxies.Min(p => p.Accuracy.Count), due = o.Points;
        while (o.JudgesOrder && due < o.Points * o.Passes && done >= due && !Judge(state, phase, due).Verdict!.IsOrder)
            due += o.Points;
        return due;
    }

    /// <summary>
    /// The difficulty after a number of points, and whether it is an order; no verdict where searches before 0.4 had none.
    /// </summary>
    public static (ClassDifficulty Difficulty, DifficultyVerdict? Verdict) Judge(
        SearchState state, SearchPhase.MeasuringDifficulty phase, int points)
    {
        DifficultyOptions o = state.Config!.Difficulty;
        ValueList<DifficultyTable> tables = phase.Proxies.Select(
            p => new DifficultyTable(p.Accuracy.Take(points).ToValueList(), p.Loss.Take(points).ToValueList())).ToValueList();
        ClassDifficulty Of(DifficultyMeasure measure, ValueList<DifficultyTable> of) =>
            ClassDifficulty.Of(measure, o.GuardPercentile, of, o.JudgesOrder);
        ClassDifficulty difficulty = Of(o.Measure, tables);
        if (!o.JudgesOrder)
            return (difficulty, null);
        DatasetSummary data = state.Started!.Data;
        double chance = 1.0 / data.Classes.Count;
        double accuracy = tables.Average(t => t.Accuracy[^1].Average());
        double guess = Math.Sqrt(data.Validation.Sum(n => chance * (1 - chance) / Math.Max(1, n))) / data.Classes.Count;
        // The guard is in the places only.
        double agreement = Agreement(
            [.. tables.Select(t => o.Measure == DifficultyMeasure.Variance ? Places(Of(o.Measure, [t])) : Of(o.Measure, [t]).Values)]);
        ValueList<double>[] measures = [.. Enum.GetValues<DifficultyMeasure>().Select(m => Places(Of(m, tables)))];
        ValueList<double> between = [Rho(measures[0], measures[1]), Rho(measures[0], measures[2]), Rho(measures[1], measures[2])];
        bool order = accuracy > chance + (Deviations * guess) && agreement >= o.Agreement;
        return (difficulty, new(order, Math.Round(accuracy, 6), Math.Round(chance, 6), agreement, points / o.Points, between));
    }

    /// <summary>Mean rho r between k seeds, as the reliability of their mean: k r / (1 + (k - 1) r).</summary>
    private static double Agreement(ValueList<double>[] seeds)
    {
        double mean = (from i in Enumerable.Range(0, seeds.Length)
                       from j in Enumerable.Range(i + 1, seeds.Length - i - 1)
                       select Rho(seeds[i], seeds[j])).Average();
        return Math.Round(mean <= 0 ? 0 : seeds.Length * mean / (1 + ((seeds.Length - 1) * mean)), 6);
    }

    /// <summary>Each class's place from easy to hard.</summary>
    private static ValueList<double> Places(ClassDifficulty d)
    {
        double[] places = new double[d.EasyToHard.Count];
        for (int i = 0; i < places.Length; i++)
            places[d.EasyToHard[i]] = i;
        return places.ToValueList();
    }

    private static double Rho(ValueList<double> x, ValueList<double> y) =>
        RankStatistics.Spearman(x, y) is var rho && double.IsFinite(rho) ? Math.Round(rho, 6) : 0;
}
