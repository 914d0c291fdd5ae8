using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>A statistic with the 95 % interval of a bootstrap (1,000 resamples), over architectures or over seeds.</summary>
public sealed record WithInterval(double Value, double Low, double High)
{
    private const int Resamples = 1000;

    private const int LeastSeeds = 5;

    public string Text => Invariant($"{Value:0.00} [{Low:0.00}, {High:0.00}]");

    public static WithInterval Of(Func<double[], double[], double> of, double[] x, double[] y, long seed)
    {
        (double low, double high) = Significance.Bootstrap(x.Length,
            drawn => of([.. drawn.Select(i => x[i])], [.. drawn.Select(i => y[i])]), Resamples, seed);
        return new(of(x, y), low, high);
    }

    /// <summary>
    /// A statistic over seeds as text, with its 95 % interval from five seeds on: fewer have too few different resamples.
    /// </summary>
    public static string OverSeeds(int seeds, Func<int[], double> of, string stream)
    {
        double value = of([.. Enumerable.Range(0, seeds)]);
        if (seeds < LeastSeeds)
            return Invariant($"{value:0.00}");
        (double low, double high) = Significance.Bootstrap(seeds, of, Resamples, SeededRandom.Derive(1, stream));
        return new WithInterval(value, low, high).Text;
    }
}
