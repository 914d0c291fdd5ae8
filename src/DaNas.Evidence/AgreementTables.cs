using DaNas.Domain.Evaluation;

namespace DaNas.Evidence;

/// <summary>
/// Whether two searches that share nothing but space and data see the same blocks as good after their first stage: what the first pruning
/// stands on. Between different seeds alone; searches of one seed share paths and first weights.
/// </summary>
public static class AgreementTables
{
    public static EvidenceTable? FirstScores(TrialMatrix matrix)
    {
        (string Name, TrialResult[] Trials)[] arms = [.. matrix.Arms
            .Select(a => (a, matrix.Of(a).Where(c => First(c) is not null).ToArray())).Where(a => a.Item2.Length > 1)];
        return arms.Length == 0 ? null : new(
            "First scores",
            "Kendall's tau-b between the first-stage scores of different seeds: mean over layers, then over all pairs of seeds, with its " +
                "95 % interval (bootstrap over five seeds or more)",
            ["arm", "seeds", "pairs", "images forward until the first scores", "tau", "tau, MACs of the blocks partialled out"],
            [.. arms.Select(a => Row(a.Name, a.Trials))],
            []);
    }

    private static IReadOnlyList<string> Row(string arm, TrialResult[] trials)
    {
        double images = trials.Average(c => c.ImagesToFirstScores ?? double.NaN);
        return [
            arm, Invariant($"{trials.Length}"), Invariant($"{trials.Length * (trials.Length - 1) / 2}"), double.IsNaN(images)
                ? "-" : Invariant($"{images:N0}"),
            Tau(trials, (x, y, _) => RankStatistics.KendallTauB(x, y)), trials.All(c => c.BlockMacs is not null)
                ? Tau(trials, Partial) : "-"];
    }

    private static string Tau(TrialResult[] trials, Func<double[], double[], double[], double> of)
    {
        double[][] pairs = [.. trials.Select((a, i) => trials.Select((b, j) => j > i ? Between(a, b, of) : double.NaN).ToArray())];

        double Mean(int[] all) =>
            (from i in Enumerable.Range(0, all.Length)
             from j in Enumerable.Range(i + 1, all.Length - i - 1)
             where all[i] != all[j]
             select pairs[Math.Min(all[i], all[j])][Math.Max(all[i], all[j])]).Where(
                double.IsFinite).DefaultIfEmpty(double.NaN).Average();

        return WithInterval.OverSeeds(trials.Length, Mean, "agreement");
    }

    /// <summary>Mean over the layers that have a choice, of the blocks that both have scored (a quarantined one is in neither).</summary>
    private static double Between(TrialResult a, TrialResult b, Func<double[], double[], double[], double> of)
    {
        (TrialStage x, TrialStage y) = (First(a)!, First(b)!);
        return Enumerable.Range(0, x.Scores.Count).Select(l =>
        {
            Dictionary<string, double> other = y.Alive[l].Zip(y.Scores[l])
                .ToDictionary(p => p.First, p => p.Second, StringComparer.Ordinal);
            (double X, double Y, double Macs)[] both = [.. x.Alive[l].Select((block, i) => (x.Scores[l][i], other.GetValueOrDefault(
                block, double.NaN), MacsOf(a, l, block))).Where(p => double.IsFinite(p.Item1) && double.IsFinite(p.Item2))];
            return both.Length < 2 ? double.NaN : of([.. both.Select(p => p.X)], [.. both.Select(p => p.Y)], [.. both.Select(p => p.Macs)]);
        }).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
    }

    private static double MacsOf(TrialResult trial, int layer, string block) =>
        trial.BlockMacs?[layer].FirstOrDefault(b => b.Block == block)?.Macs ?? double.NaN;

    /// <summary>Kendall's partial rank correlation of x and y, z held fixed (Kendall 1942).</summary>
    public static double Partial(double[] x, double[] y, double[] z)
    {
        (double xy, double xz, double yz) = (RankStatistics.KendallTauB(x, y), RankStatistics.KendallTauB(x, z),
            RankStatistics.KendallTauB(y, z));
        if (!double.IsFinite(xz) || !double.IsFinite(yz))
            return xy;
        double left = (1 - (xz * xz)) * (1 - (yz * yz));
        return left <= 1e-12 ? double.NaN : (xy - (xz * yz)) / Math.Sqrt(left);
    }

    /// <summary>The first stage with scores, where all candidates were still there.</summary>
    private static TrialStage? First(TrialResult trial) => trial.Stages.FirstOrDefault(s => s.Scores.Count > 0);
}
