namespace DaNas.Domain.Evaluation;

/// <summary>
/// How well one list orders what another one orders. Both lists run over the same things; NaN where there is nothing to order.
/// </summary>
public static class RankStatistics
{
    /// <summary>
    /// Kendall's tau-b (Kendall 1945): (concordant - discordant) pairs over the geometric mean of the pairs untied in each list.
    /// </summary>
    public static double KendallTauB(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        Check(x, y);
        (long concordant, long discordant, long tiedX, long tiedY) = (0, 0, 0, 0);
        for (int i = 0; i < x.Count; i++)
        {
            for (int j = i + 1; j < x.Count; j++)
            {
                int a = Math.Sign(x[i] - x[j]);
                int b = Math.Sign(y[i] - y[j]);
                concordant += a * b > 0 ? 1 : 0;
                discordant += a * b < 0 ? 1 : 0;
                tiedX += a == 0 ? 1 : 0;
                tiedY += b == 0 ? 1 : 0;
            }
        }

        double pairs = x.Count * (x.Count - 1.0) / 2;
        return (concordant - discordant) / Math.Sqrt((pairs - tiedX) * (pairs - tiedY));
    }

    /// <summary>Spearman's rho: the correlation of the ranks, ties at their mean rank.</summary>
    public static double Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        Check(x, y);
        return Pearson(Ranks(x), Ranks(y));
    }

    /// <summary>Pearson's correlation.</summary>
    public static double Pearson(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        Check(x, y);
        double mx = x.Average(), my = y.Average();
        return x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum() / Math.Sqrt(x.Sum(a => (a - mx) * (a - mx)) * y.Sum(b => (b - my) * (b - my)));
    }

    /// <summary>The share of the k largest of one list that are among the k largest of the other; ties go to the earlier.</summary>
    public static double TopOverlap(IReadOnlyList<double> x, IReadOnlyList<double> y, int k)
    {
        Check(x, y);
        return k < 1 || k > x.Count ? double.NaN : Top(x, k).Intersect(Top(y, k)).Count() / (double)k;
    }

    /// <summary>What choosing by the predictor costs: the largest truth less the truth of the predictor's first choice.</summary>
    public static double RegretAtOne(IReadOnlyList<double> predicted, IReadOnlyList<double> truth)
    {
        Check(predicted, truth);
        return truth.Count == 0 ? double.NaN : truth.Max() - truth[Top(predicted, 1).First()];
    }

    private static IEnumerable<int> Top(IReadOnlyList<double> values, int k) =>
        Enumerable.Range(0, values.Count).OrderByDescending(i => values[i]).ThenBy(i => i).Take(k);

    private static double[] Ranks(IReadOnlyList<double> values)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        double[] ranks = new double[values.Count];
        for (int from = 0; from < order.Length;)
        {
            int to = from;
            while (to < order.Length && values[order[to]] == values[order[from]])
                to++;
            for (int i = from; i < to; i++)
                ranks[order[i]] = (from + to - 1) / 2.0;
            from = to;
        }

        return ranks;
    }

    private static void Check(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        if (x.Count != y.Count)
            throw new ArgumentException($"{x.Count} values cannot be compared with {y.Count}");
    }
}
