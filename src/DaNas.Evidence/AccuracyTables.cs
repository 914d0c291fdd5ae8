namespace DaNas.Evidence;

/// <summary>DA5: whether the cheaper search finds architectures as good as the full one's, and better than random ones.</summary>
public static class AccuracyTables
{
    public static EvidenceTable? Compare(CellMatrix matrix)
    {
        if (matrix.Cells.Count == 0)
            return null;
        List<IReadOnlyList<string>> rows = [];
        List<string> findings = [];
        foreach (string arm in matrix.Arms)
        {
            CellResult[] cells = [.. matrix.Of(arm)];
            if (cells.Length == 0)
                continue;
            double[] against = [.. matrix.Paired(arm).Select(p => p.Cell.Winner.TestAccuracy - p.Reference.Winner.TestAccuracy)];
            double[] random = [.. cells.Where(c => c.Controls.Any()).Select(c => c.Winner.TestAccuracy - c.Controls.Average(m => m.TestAccuracy))];
            MeanError difference = MeanError.Of(against);
            MeanError overRandom = MeanError.Of(random);
            rows.Add([
                arm, Text($"{cells.Length}"), Text($"{cells.Average(c => c.Winner.Macs) / 1e6:0.000} M"), MeanError.Of(cells.Select(c => c.Winner.TestAccuracy)).Text("0.0000"),
                arm == matrix.Reference ? "-" : difference.Text("0.0000"), random.Length == 0 ? "-" : overRandom.Text("0.0000"), random.Length == 0 ? "-" : Text($"{Significance.PairedGreater(random):0.000}")]);
            if (arm != matrix.Reference && against.Length > 1 && against.All(d => d == 0))
                findings.Add($"{arm}: the same winners as {matrix.Reference}, so nothing is compared");
            else if (arm != matrix.Reference && difference.Count > 1)
                findings.Add(Text($"{arm}: {(difference.Mean >= -difference.Error ? "no worse than" : "worse than")} {matrix.Reference} by the rule 'at most one standard error below' ({difference.Text("0.0000")})"));
        }

        return new(
            "DA5",
            "test accuracy of the retrained winners (mean ± standard error over seeds)",
            ["arm", "seeds", "multiply-adds", "test accuracy", $"less {matrix.Reference}, same seed", "less random of equal cost, same search", "p (paired t, one-sided)"],
            rows,
            findings);
    }

    private static string Text(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
