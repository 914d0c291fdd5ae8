// Shapes: N images, C channels, H height, W width.
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch;

/// <summary>Milliseconds of one forward pass: median and the middle half of the repeats.</summary>
public sealed record Latency(double Median, double Low, double High)
{
    /// <summary>Half the width of the middle half, as a part of the median.</summary>
    public double Spread => (High - Low) / (2 * Median);

    public static Latency Of(IReadOnlyList<double> milliseconds)
    {
        double[] sorted = [.. milliseconds.Order()];
        return new(At(0.5), At(0.25), At(0.75));

        double At(double part) => sorted[(int)Math.Round(part * (sorted.Length - 1))];
    }
}
