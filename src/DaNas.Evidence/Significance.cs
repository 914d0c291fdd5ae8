using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace DaNas.Evidence;

/// <summary>Tests of significance; distributions from MathNet.Numerics.</summary>
public static class Significance
{
    /// <summary>Sign test: the chance of so many positive values or more among those that are not 0, were both signs as likely.</summary>
    public static double Sign(IEnumerable<double> values)
    {
        double[] signed = [.. values.Where(v => v != 0 && !double.IsNaN(v))];
        int positive = signed.Count(v => v > 0);
        return signed.Length == 0 ? 1 : 1 - (positive == 0 ? 0 : Binomial.CDF(0.5, signed.Length, positive - 1));
    }

    /// <summary>
    /// Mann and Whitney (1947), one-sided: the chance of the first sample lying so low or lower, by the normal approximation with ties and
    /// continuity corrected.
    /// </summary>
    public static double MannWhitneyLess(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        double[] all = [.. first, .. second];
        double n1 = first.Count, n2 = second.Count, n = all.Length;
        if (n1 == 0 || n2 == 0)
            return 1;
        double[] ranks = all.Ranks(RankDefinition.Average);
        double u = ranks.Take(first.Count).Sum() - (n1 * (n1 + 1) / 2);
        double ties = all.GroupBy(v => v).Sum(g => Math.Pow(g.Count(), 3) - g.Count());
        double deviation = Math.Sqrt(n1 * n2 / 12 * (n + 1 - (ties / (n * (n - 1)))));
        return deviation == 0 ? 1 : Normal.CDF(0, 1, (u - (n1 * n2 / 2) + 0.5) / deviation);
    }

    /// <summary>Paired t-test, one-sided: the chance of a mean so high or higher, were the true one 0.</summary>
    public static double PairedGreater(IEnumerable<double> differences)
    {
        MeanError m = MeanError.Of(differences);
        return m.Count < 2 || m.Error == 0 ? double.NaN : 1 - StudentT.CDF(0, 1, m.Count - 1, m.Mean / m.Error);
    }

    /// <summary>
    /// Two one-sided paired t-tests (Schuirmann 1987): the chance of a mean so far inside the margin on both sides, were the true one at
    /// the margin. Small: equivalent within the margin.
    /// </summary>
    public static double Equivalent(IEnumerable<double> differences, double margin)
    {
        MeanError m = MeanError.Of(differences);
        if (m.Count < 2 || m.Error == 0)
            return double.NaN;
        return Math.Max(1 - StudentT.CDF(0, 1, m.Count - 1, (m.Mean + margin) / m.Error),
            StudentT.CDF(0, 1, m.Count - 1, (m.Mean - margin) / m.Error));
    }

    /// <summary>Paired t-test, two-sided: the chance of a mean so far from 0 or farther, were the true one 0.</summary>
    public static double PairedDifferent(IEnumerable<double> differences) =>
        PairedGreater(differences) is var p && p <= 0.5 ? 2 * p : 2 * (1 - p);

    /// <summary>
    /// The true mean difference that so many pairs find significant in 80 % of cases (normal power with Student's quantiles), by a test
    /// whose chance of an error is <paramref name="tail"/> on a side.
    /// </summary>
    public static double Detectable(IEnumerable<double> differences, double tail)
    {
        MeanError m = MeanError.Of(differences);
        return m.Count < 2 ? double.NaN : m.Error * (StudentT.InvCDF(0, 1, m.Count - 1, 1 - tail)
            + StudentT.InvCDF(0, 1, m.Count - 1, 0.8));
    }

    /// <summary>Chances corrected for their number (Holm 1979), in their order; what is no number stays so and does not count.</summary>
    public static IReadOnlyList<double> Holm(IReadOnlyList<double> chances)
    {
        double[] corrected = [.. chances];
        int[] order = [.. Enumerable.Range(0, chances.Count).Where(i => !double.IsNaN(chances[i])).OrderBy(i => chances[i])];
        double least = 0;
        for (int rank = 0; rank < order.Length; rank++)
            corrected[order[rank]] = least = Math.Max(least, Math.Min(1, (order.Length - rank) * chances[order[rank]]));
        return corrected;
    }

    /// <summary>A chance as tables show it; "-" where there is none.</summary>
    public static string Text(double chance) => double.IsNaN(chance) ? "-" : chance < 0.0005 ? "< 0.001" : Invariant($"{chance:0.000}");

    /// <summary>
    /// Percentile interval (Efron 1979) of a statistic over resamples of things, drawn with replacement from a seed; resamples for which
    /// the statistic is no number are left out.
    /// </summary>
    public static (double Low, double High) Bootstrap(int things, Func<int[], double> statistic, int resamples, long seed)
    {
        Domain.Values.SeededRandom random = new(seed);
        List<double> values = [];
        for (int r = 0; r < resamples; r++)
        {
            int[] drawn = [.. Enumerable.Range(0, things).Select(_ => random.NextInt(things))];
            double value = statistic(drawn);
            if (double.IsFinite(value))
                values.Add(value);
        }

        return values.Count == 0 ? (double.NaN, double.NaN) : (values.Quantile(0.025), values.Quantile(0.975));
    }
}
