using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>
/// What searches chose, held against a table of architectures that were trained by themselves. Regret is the best mean accuracy of the table's architectures within the budget, less
/// that of the choice, in points; the percentile is the share of them that are worse (ties count half).
/// </summary>
public static class TruthTables
{
    private const int Resamples = 1000;

    /// <summary>Fewer seeds have too few different resamples for an interval.</summary>
    private const int LeastSeeds = 5;

    /// <summary>Null where no choice of the matrix is in the table.</summary>
    public static EvidenceTable? Regret(CellMatrix matrix, ProbeReport truth)
    {
        long budget = matrix.Cells.Select(c => c.Budget ?? long.MaxValue).DefaultIfEmpty(long.MaxValue).Max();
        ProbeRow[] within = [.. truth.Rows.Where(r => r.Macs <= budget)];
        Dictionary<string, ProbeRow> known = within.ToDictionary(r => r.Architecture, StringComparer.Ordinal);
        (string Name, ProbeRow[] Found, int Cells)[] arms = [.. matrix.Arms.Select(a => (a, Found(matrix.Of(a), known), matrix.Of(a).Count(c => c.Models.Count > 0))).Where(a => a.Item3 > 0)];
        if (arms.All(a => a.Found.Length == 0))
            return null;
        double best = within.Max(r => r.Mean);
        double random = best - within.Average(r => r.Mean);
        double Lost(ProbeRow r) => best - r.Mean;
        IReadOnlyList<double> better = Significance.Holm([.. arms.Select(a => Significance.PairedGreater(a.Found.Select(r => random - Lost(r))))]);
        string[] missing = [.. matrix.Cells.Where(c => c.Models.Count > 0 && !known.ContainsKey(c.Winner.Architecture)).Select(c => c.Winner.Architecture).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return new(
            "Truth",
            Text($"regret against {within.Length} architectures trained {truth.Rows[0].Alone.Count} times each, in points (mean over seeds, with its 95 % interval by bootstrap over five seeds or more)"),
            ["choice", "seeds", "regret", "percentile", "p (better than a random architecture)"],
            [
                .. arms.Select((a, i) => (IReadOnlyList<string>)[a.Name, Text($"{a.Found.Length}{(a.Found.Length < a.Cells ? Text($" of {a.Cells}") : string.Empty)}"), Points(a.Found, Lost), a.Found.Length == 0 ? "-" : Text($"{a.Found.Average(r => Percentile(r.Mean, within)):0}"), double.IsNaN(better[i]) ? "-" : Text($"{better[i]:0.000}")]),
                ["a random architecture", "-", Text($"{100 * random:0.00}"), "50", "-"],
                .. TrivialPredictor.Of([.. within.Select(r => (r.Macs, (long?)r.Parameters, r.Initial, r.Mean))], 1).Select(t => (IReadOnlyList<string>)[$"most {t.Name}", "-", Text($"{100 * t.Regret.Value:0.00}"), Text($"{Percentile(best - t.Regret.Value, within):0}"), "-"]),
            ],
            [
                Text($"Two trainings of the table order its {truth.Rows.Count} architectures with Kendall's tau-b {truth.Ceiling.Text}; architectures differ by {100 * truth.Spread:0.0} points, one training by {100 * truth.Noise:0.0}. The best of a table of means is partly the luckiest, so every regret is somewhat too large, by the same amount."),
                "p: one-sided t-test against the mean of the table, corrected by Holm's rule.",
                .. missing.Length == 0 ? [] : (string[])[$"Not in the table, and left out: {string.Join(", ", missing)}"],
            ]);
    }

    private static ProbeRow[] Found(IEnumerable<CellResult> cells, Dictionary<string, ProbeRow> known) =>
        [.. cells.Where(c => c.Models.Count > 0).Select(c => known.GetValueOrDefault(c.Winner.Architecture)).OfType<ProbeRow>()];

    private static string Points(ProbeRow[] rows, Func<ProbeRow, double> lost)
    {
        if (rows.Length == 0)
            return "-";
        double mean = 100 * rows.Average(lost);
        if (rows.Length < LeastSeeds)
            return Text($"{mean:0.00}");
        (double low, double high) = Significance.Bootstrap(rows.Length, drawn => 100 * drawn.Average(i => lost(rows[i])), Resamples, SeededRandom.Derive(1, "truth"));
        return new WithInterval(mean, low, high).Text;
    }

    private static double Percentile(double accuracy, ProbeRow[] all) => 100.0 * all.Sum(r => Math.Abs(r.Mean - accuracy) < 1e-9 ? 0.5 : r.Mean < accuracy ? 1 : 0) / all.Length;

    private static string Text(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
