namespace DaNas.Evidence;

/// <summary>DA5: whether the cheaper search finds architectures as good as the full one's, and better than random ones.</summary>
public static class AccuracyTables
{
    private const double Level = 0.05;

    private sealed record Arm(string Name, TrialResult[] Trials, double[] Against, double[] Random);

    public static EvidenceTable? Compare(TrialMatrix matrix)
    {
        Arm[] arms = [.. matrix.Arms.Select(name => Of(matrix, name)).Where(a => a.Trials.Length > 0)];
        if (arms.Length == 0)
            return null;
        // One family of tests a column.
        IReadOnlyList<double> different = Significance.Holm(
            [.. arms.Select(a => a.Name == matrix.Reference ? double.NaN : Significance.PairedDifferent(a.Against))]);
        IReadOnlyList<double> equivalent = Significance.Holm(
            [.. arms.Select(a => a.Name == matrix.Reference ? double.NaN : Significance.Equivalent(a.Against, matrix.Margin))]);
        IReadOnlyList<double> better = Significance.Holm([.. arms.Select(a => Significance.PairedGreater(a.Random))]);
        IReadOnlyList<string>[] rows = [.. arms.Select((a, i) => (IReadOnlyList<string>)[
            a.Name, Invariant($"{a.Trials.Length}"), Invariant($"{a.Trials.Average(c => c.Winner.Macs) / 1e6:0.000} M"),
                MeanError.Of(a.Trials.Select(c => c.Winner.TestAccuracy)).Text("0.0000"),
            a.Name == matrix.Reference ? "-" : MeanError.Of(a.Against).Text("0.0000"), Significance.Text(different[i]),
                Significance.Text(equivalent[i]), a.Name == matrix.Reference
                ? "-" : Points(Significance.Detectable(a.Against, Level / 2 / Math.Max(1, arms.Length - 1))),
            a.Random.Length == 0 ? "-" : MeanError.Of(a.Random).Text("0.0000"), Significance.Text(better[i]), a.Random.Length == 0
                ? "-" : Points(Significance.Detectable(a.Random, Level / arms.Length))])];
        return new(
            "DA5",
            "test accuracy of the retrained winners (mean \u00b1 standard error over seeds)",
            ["arm", "seeds", "MACs", "test accuracy", $"minus {matrix.Reference}, same seed", "p (different)",
                Invariant($"p (equivalent, \u00b1 {100 * matrix.Margin:0.#} points)"), "detectable",
                "minus random of equal cost, same search", "p (better)", "detectable"],
            rows,
            [
                "Paired t-tests, corrected for their number by Holm's rule, one family a column: different from the reference " +
                    "(two-sided), equivalent to it within the margin (two one-sided tests), better than random (one-sided). Detectable: " +
                    "the true difference that so many seeds would find in 80 % of cases at the first, strictest step of that correction.",
                .. arms.Select((a, i) => a.Name == matrix.Reference
                    ? null : Finding(a, matrix, different[i], equivalent[i])).OfType<string>(),
            ]);
    }

    private static Arm Of(TrialMatrix matrix, string name)
    {
        TrialResult[] trials = [.. matrix.Of(name)];
        return new(
            name,
            trials,
            [.. matrix.Paired(name).Select(p => p.Trial.Winner.TestAccuracy - p.Reference.Winner.TestAccuracy)],
            [.. trials.Where(c => c.Controls.Any()).Select(c => c.ComparedAccuracy - c.Controls.Average(m => m.TestAccuracy))]);
    }

    private static string? Finding(Arm arm, TrialMatrix matrix, double different, double equivalent)
    {
        if (arm.Against.Length < 2)
            return null;
        if (arm.Against.All(d => d == 0))
            return $"{arm.Name}: the same winners as {matrix.Reference}, so nothing is compared";
        string difference = MeanError.Of(arm.Against).Text("0.0000");
        if (double.IsNaN(different))
            return $"{arm.Name}: differs from {matrix.Reference} by the same amount for every seed ({difference}), " +
                $"which no t-test can judge";
        return different < Level ? $"{arm.Name}: {(arm.Against.Average() > 0 ? "better" : "worse")} than {matrix.Reference} ({difference})"
            : equivalent < Level
                ? Invariant($"{arm.Name}: equivalent to {matrix.Reference} within {100 * matrix.Margin:0.#} points ({difference})")
            : $"{arm.Name}: neither different from {matrix.Reference} nor shown to be equivalent ({difference}): more seeds are needed";
    }

    private static string Points(double difference) => double.IsNaN(difference) ? "-" : Invariant($"{difference:0.0000}");
}
