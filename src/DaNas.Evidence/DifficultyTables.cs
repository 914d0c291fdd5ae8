using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>DA1 and DA2: whether difficulty belongs to the classes rather than to the proxy, and whether easy classes converge first.</summary>
public static class DifficultyTables
{
    /// <summary>
    /// Rank correlation of difficulty between proxies on the same pictures (one seed), within a proxy on other pictures (other seeds), and with the known
    /// difficulty.
    /// </summary>
    public static EvidenceTable? Agreement(CellMatrix matrix)
    {
        (string Arm, CellResult[] Cells)[] passes = Passes(matrix);
        if (passes.Select(p => p.Cells[0].ProxyBlock).OfType<string>().Distinct().Count() < 2)
            return null;
        List<IReadOnlyList<string>> rows = [];
        List<double> same = [], other = [], averaged = [];
        foreach ((string arm, CellResult[] cells) in passes)
        {
            List<string> row = [arm];
            foreach ((string toArm, CellResult[] to) in passes)
            {
                double[] rho = [.. from x in cells from y in to where arm == toArm ? x.Seed < y.Seed : x.Seed == y.Seed select RankStatistics.Spearman([.. x.Difficulty], [.. y.Difficulty])];
                row.Add(rho.Length == 0 ? "-" : Text($"{rho.Average():0.00}"));
                if (string.CompareOrdinal(arm, toArm) >= 0)
                    continue;
                same.AddRange(rho);
                other.AddRange(from x in cells from y in to where x.Seed != y.Seed select RankStatistics.Spearman([.. x.Difficulty], [.. y.Difficulty]));
                averaged.Add(RankStatistics.Spearman(Averaged(cells), Averaged(to)));
            }

            CellResult[] known = [.. cells.Where(c => c.KnownDifficulty.Count > 0)];
            row.Add(known.Length == 0 ? "-" : MeanError.Of(known.Select(c => RankStatistics.Spearman([.. c.Difficulty], [.. c.KnownDifficulty]))).Text("0.00"));
            row.Add(known.Length == 0 ? "-" : Text($"{RankStatistics.Spearman(Averaged(known), [.. known[0].KnownDifficulty]):0.00}"));
            rows.Add(row);
        }

        return new(
            "DA1",
            "Spearman's rho of class difficulty: between proxies on the same pictures; on the diagonal, of one proxy between seeds, which have other pictures",
            ["proxy", .. passes.Select(p => p.Arm), "known difficulty", "known, mean over seeds"],
            rows,
            [
                Text($"Different proxies, the same pictures: {Range(same)}; they share the held-out pictures' noise. Different proxies, other pictures: {Range(other)}. Difficulties averaged over seeds: {Range(averaged)}. The pass rule asks for a mean of more than 0.7 between proxies, and more than 0.6 with the known difficulty."),
            ]);
    }

    /// <summary>
    /// Points of the proxy's training that a class needs for 90 % of its final held-out accuracy, mean over seeds and proxies: the easier half of the
    /// classes against the harder half. Each class counts once.
    /// </summary>
    public static EvidenceTable? Convergence(CellMatrix matrix)
    {
        (string Arm, CellResult[] Cells)[] passes = [.. Passes(matrix).Where(p => p.Cells[0].Proxies.Count > 0 && p.Cells[0].Proxies[0].Count > 2)];
        if (passes.Length == 0)
            return null;
        List<IReadOnlyList<string>> rows = [.. passes.Select(p => Row(p.Arm, p.Cells))];
        if (passes.Select(p => p.Cells[0].ProxyBlock).OfType<string>().Distinct().Count() > 1)
            rows.Add(Row("all together", [.. passes.SelectMany(p => p.Cells)]));
        return new(
            "DA2",
            "points of training until 90 % of the final accuracy, easier half of the classes against the harder half",
            ["arm", "classes", "median easy", "median hard", "mean easy", "mean hard", "p (Mann-Whitney, one-sided)"],
            rows,
            ["Each class counts once, with its mean over seeds (and proxies). Arms that share a pass are one row. Halves by the known difficulty where there is one, else by the measured one (which is then not independent of the speed)."]);
    }

    /// <summary>The passes of the matrix, under the first arm that has them: arms that share one (the same curves for every seed) say the same thing.</summary>
    private static (string Arm, CellResult[] Cells)[] Passes(CellMatrix matrix)
    {
        List<(string Arm, CellResult[] Cells)> kept = [];
        foreach (string arm in matrix.Arms)
        {
            CellResult[] cells = [.. matrix.Of(arm).Where(c => c.Difficulty.Count > 0).OrderBy(c => c.Seed)];
            if (cells.Length > 0 && !kept.Any(k => cells.All(c => k.Cells.FirstOrDefault(o => o.Seed == c.Seed) is { } o && o.Proxies.Equals(c.Proxies))))
                kept.Add((arm, cells));
        }

        return [.. kept];
    }

    private static double[] Averaged(CellResult[] cells) => [.. Enumerable.Range(0, cells[0].Difficulty.Count).Select(c => cells.Average(x => x.Difficulty[c]))];

    private static string Range(List<double> values) => values.Count == 0 ? "-" : Text($"{values.Average():0.00} ({values.Min():0.00} to {values.Max():0.00}, {values.Count} pairs)");

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
