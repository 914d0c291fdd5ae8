using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>
/// DA1 and DA2: whether difficulty belongs to the classes rather than to the proxy, and whether easy classes converge first.
/// </summary>
public static class DifficultyTables
{
    /// <summary>
    /// Rank correlation of difficulty between proxies on the same images (one seed), within a proxy on other images (other seeds), and with
    /// the known difficulty.
    /// </summary>
    public static EvidenceTable? Agreement(TrialMatrix matrix)
    {
        (string Arm, TrialResult[] Trials)[] passes = Passes(matrix);
        if (passes.Select(p => p.Trials[0].ProxyBlock).OfType<string>().Distinct().Count() < 2)
            return null;
        List<IReadOnlyList<string>> rows = [];
        List<double> same = [], other = [], averaged = [];
        foreach ((string arm, TrialResult[] trials) in passes)
        {
            List<string> row = [arm];
            foreach ((string toArm, TrialResult[] to) in passes)
            {
                double[] rho = [.. from x in trials from y in to where arm == toArm
                    ? x.Seed < y.Seed : x.Seed == y.Seed select RankStatistics.Spearman([.. x.Difficulty], [.. y.Difficulty])];
                row.Add(rho.Length == 0 ? "-" : Invariant($"{rho.Average():0.00}"));
                if (string.CompareOrdinal(arm, toArm) >= 0)
                    continue;
                same.AddRange(rho);
                other.AddRange(from x in trials
                               from y in to
                               where x.Seed != y.Seed
                               select RankStatistics.Spearman([.. x.Difficulty], [.. y.Difficulty]));
                averaged.Add(RankStatistics.Spearman(Averaged(trials), Averaged(to)));
            }

            TrialResult[] known = [.. trials.Where(c => c.KnownDifficulty.Count > 0)];
            row.Add(known.Length == 0
                ? "-" : MeanError.Of(known.Select(c => RankStatistics.Spearman([.. c.Difficulty], [.. c.KnownDifficulty]))).Text("0.00"));
            row.Add(known.Length == 0 ? "-" : Invariant($"{RankStatistics.Spearman(Averaged(known), [.. known[0].KnownDifficulty]):0.00}"));
            rows.Add(row);
        }

        return new(
            "DA1",
            "Spearman's rho of class difficulty: between proxies on the same images; on the diagonal, of one proxy between seeds, " +
                "which have other images",
            ["proxy", .. passes.Select(p => p.Arm), "known difficulty", "known, mean over seeds"],
            rows,
            [
                Invariant($"Different proxies, the same images: {Range(same)}; they share the held-out images' noise. Different proxies, " +
                    $"other images: {Range(other)}. Difficulties averaged over seeds: {Range(averaged)}. The pass rule asks for a mean " +
                    $"of more than 0.7 between proxies, and more than 0.6 with the known difficulty."),
            ]);
    }

    /// <summary>
    /// Points of the proxy's training that a class needs for 90 % of its final held-out accuracy, mean over seeds and proxies: the easier
    /// half of the classes against the harder half. Each class counts once.
    /// </summary>
    public static EvidenceTable? Convergence(TrialMatrix matrix)
    {
        (string Arm, TrialResult[] Trials)[] passes = [.. Passes(matrix)
            .Where(p => p.Trials[0].Proxies.Count > 0 && p.Trials[0].Proxies[0].Count > 2)];
        if (passes.Length == 0)
            return null;
        List<IReadOnlyList<string>> rows = [.. passes.Select(p => Row(p.Arm, p.Trials))];
        if (passes.Select(p => p.Trials[0].ProxyBlock).OfType<string>().Distinct().Count() > 1)
            rows.Add(Row("all arms", [.. passes.SelectMany(p => p.Trials)]));
        return new(
            "DA2",
            "points of training until 90 % of the final accuracy, easier half of the classes against the harder half",
            ["arm", "classes", "median easy", "median hard", "mean easy", "mean hard", "p (Mann-Whitney, one-sided)"],
            rows,
            ["Each class counts once, with its mean over seeds (and proxies). Arms that share a pass are one row. Halves are formed by " +
                "the known difficulty if available, otherwise by the measured one (which is then not independent of the speed)."]);
    }

    /// <summary>
    /// The passes of the matrix, under the first arm that has them: arms that share one (the same curves for every seed) say the same
    /// thing.
    /// </summary>
    private static (string Arm, TrialResult[] Trials)[] Passes(TrialMatrix matrix)
    {
        List<(string Arm, TrialResult[] Trials)> kept = [];
        foreach (string arm in matrix.Arms)
        {
            TrialResult[] trials = [.. matrix.Of(arm).Where(c => c.Difficulty.Count > 0).OrderBy(c => c.Seed)];
            if (trials.Length > 0
                && !kept.Any(k => trials.All(c => k.Trials.FirstOrDefault(o => o.Seed == c.Seed) is { } o && o.Proxies.Equals(c.Proxies))))
                kept.Add((arm, trials));
        }

        return [.. kept];
    }

    private static double[] Averaged(TrialResult[] trials) =>
        [.. Enumerable.Range(0, trials[0].Difficulty.Count).Select(c => trials.Average(x => x.Difficulty[c]))];

    private static string Range(List<double> values) => values.Count == 0
        ? "-" : Invariant($"{values.Average():0.00} ({values.Min():0.00} to {values.Max():0.00}, {values.Count} pairs)");

    private static IReadOnlyList<string> Row(string name, TrialResult[] trials)
    {
        int classes = trials[0].Difficulty.Count;
        double[] difficulty = [.. Enumerable.Range(0, classes)
            .Select(c => trials.Average(x => (x.KnownDifficulty.Count > 0 ? x.KnownDifficulty : x.Difficulty)[c]))];
        double middle = Median(difficulty);
        double[] points = [.. Enumerable.Range(0, classes).Select(c => Mean(trials.SelectMany(x => x.Proxies).Select(p => Point(p, c))))];
        double[] easy = [.. points.Where((p, c) => difficulty[c] <= middle && double.IsFinite(p))],
            hard = [.. points.Where((p, c) => difficulty[c] > middle && double.IsFinite(p))];
        return [name, Invariant($"{easy.Length} and {hard.Length}"), Invariant($"{Median(easy):0.0}"), Invariant($"{Median(hard):0.0}"),
            Invariant($"{Mean(easy):0.00}"), Invariant($"{Mean(hard):0.00}"),
            Invariant($"{Significance.MannWhitneyLess(easy, hard):0.0000}")];
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
}
