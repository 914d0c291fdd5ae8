using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>DA1 and DA2: whether difficulty belongs to the classes rather than to the proxy, and whether easy classes converge first.</summary>
public static class DifficultyTables
{
    /// <summary>Rank correlation of difficulty between and within proxies, and with the known difficulty.</summary>
    public static EvidenceTable? Agreement(CellMatrix matrix)
    {
        CellResult[] all = [.. Proxies(matrix)];
        string[] proxies = [.. all.Select(c => c.ProxyBlock!).Distinct()];
        if (proxies.Length < 2)
            return null;
        List<IReadOnlyList<string>> rows = [];
        List<double> between = [];
        foreach (string a in proxies)
        {
            List<string> row = [a];
            foreach (string b in proxies)
            {
                double[] rho = [.. from x in all where x.ProxyBlock == a from y in all where y.ProxyBlock == b && (a != b || x.Seed < y.Seed) select RankStatistics.Spearman([.. x.Difficulty], [.. y.Difficulty])];
                row.Add(rho.Length == 0 ? "-" : Text($"{rho.Average():0.00}"));
                if (string.CompareOrdinal(a, b) < 0)
                    between.AddRange(rho);
            }

            double[] known = [.. all.Where(c => c.ProxyBlock == a && c.KnownDifficulty.Count > 0).Select(c => RankStatistics.Spearman([.. c.Difficulty], [.. c.KnownDifficulty]))];
            row.Add(known.Length == 0 ? "-" : MeanError.Of(known).Text("0.00"));
            rows.Add(row);
        }

        return new(
            "DA1",
            "Spearman's rho of class difficulty between proxies, mean over all pairs of seeds",
            ["proxy", .. proxies, "known difficulty"],
            rows,
            [Text($"Mean over the {between.Count} pairs of different proxies: {between.Average():0.00}, from {between.Min():0.00} to {between.Max():0.00} (the pass rule asks for a mean of more than 0.7).")]);
    }

    /// <summary>
    /// Points of the proxy's training that a class needs for 90 % of its final held-out accuracy, mean over seeds and proxies: the easier half of the
    /// classes against the harder half. Each class counts once.
    /// </summary>
    public static EvidenceTable? Convergence(CellMatrix matrix)
    {
        CellResult[] all = [.. Proxies(matrix).Where(c => c.Proxies.Count > 0 && c.Proxies[0].Count > 2)];
        if (all.Length == 0)
            return null;
        List<IReadOnlyList<string>> rows = [.. all.GroupBy(c => c.ProxyBlock!).Select(g => Row(g.Key, [.. g]))];
        if (rows.Count > 1)
            rows.Add(Row("all together", all));
        return new(
            "DA2",
            "points of training until 90 % of the final accuracy, easier half of the classes against the harder half",
            ["proxy", "classes", "median easy", "median hard", "mean easy", "mean hard", "p (Mann-Whitney, one-sided)"],
            rows,
            ["Each class counts once, with its mean over seeds (and proxies). Halves by the known difficulty where there is one, else by the measured one (which is then not independent of the speed)."]);
    }

    /// <summary>One cell for each proxy and seed: arms that share a pass say the same thing.</summary>
    private static IEnumerable<CellResult> Proxies(CellMatrix matrix) =>
        matrix.Cells.Where(c => c.ProxyBlock is not null && c.Difficulty.Count > 0).GroupBy(c => (c.ProxyBlock, c.Seed)).Select(g => g.First()).OrderBy(c => c.ProxyBlock, StringComparer.Ordinal).ThenBy(c => c.Seed);

    private static IReadOnlyList<string> Row(string name, CellResult[] cells)
    {
        int classes = cells[0].Difficulty.Count;
        double[] difficulty = [.. Enumerable.Range(0, classes).Select(c => cells.Average(x => (x.KnownDifficulty.Count > 0 ? x.KnownDifficulty : x.Difficulty)[c]))];
        double middle = Median(difficulty);
        double[] points = [.. Enumerable.Range(0, classes).Select(c => Mean(cells.SelectMany(x => x.Proxies).Select(p => Point(p, c))))];
        double[] easy = [.. points.Where((p, c) => difficulty[c] <= middle && double.IsFinite(p))], hard = [.. points.Where((p, c) => difficulty[c] > middle && double.IsFinite(p))];
        return [name, Text($"{easy.Length} and {hard.Length}"), Text($"{Median(easy):0.0}"), Text($"{Median(hard):0.0}"), Text($"{Mean(easy):0.00}"), Text($"{Mean(hard):0.00}"), Text($"{Significance.MannWhitneyLess(easy, hard):0.0000}")];
    }

    /// <summary>NaN where the class was never learned: it has no time of convergence.</summary>
    private static double Point(ValueList<ValueList<double>> proxy, int c) =>
        proxy[^1][c] <= 0 ? double.NaN : Enumerable.Range(0, proxy.Count).First(t => proxy[t][c] >= 0.9 * proxy[^1][c]) + 1;

    private static double Mean(IEnumerable<double> values)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        return finite.Length == 0 ? double.NaN : finite.Average();
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Text(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
