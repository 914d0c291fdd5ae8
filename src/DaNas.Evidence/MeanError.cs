using MathNet.Numerics.Statistics;

namespace DaNas.Evidence;

/// <summary>Mean, its standard error (NaN with one value), and how many values.</summary>
public sealed record MeanError(double Mean, double Error, int Count)
{
    public static MeanError Of(IEnumerable<double> values)
    {
        double[] all = [.. values];
        return new(all.Length == 0 ? double.NaN : all.Average(), all.Length < 2
            ? double.NaN : all.StandardDeviation() / Math.Sqrt(all.Length), all.Length);
    }

    public string Text(string format) => double.IsNaN(Error)
        ? Mean.ToString(format, System.Globalization.CultureInfo.InvariantCulture)
        : Invariant($"{Mean.ToString(format, System.Globalization.CultureInfo.InvariantCulture)} ± " +
            $"{Error.ToString(format, System.Globalization.CultureInfo.InvariantCulture)}");
}
