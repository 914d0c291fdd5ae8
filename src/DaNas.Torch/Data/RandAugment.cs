using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// RandAugment (Cubuk et al. 2020, section 3) on [C, H, W] bytes: some operations, drawn alike from the paper's fourteen, all of one
/// magnitude of [0, 30]; those with a direction take either. Geometric ones take the nearest pixel; what comes from outside is grey (128).
/// Greatest effects (reconstructed from the published AutoAugment ranges): 30 degrees, shear 0.3, a third of the side, enhancement by 0.9.
/// </summary>
internal static class RandAugment
{
    private const double Greatest = 30;

    public static void Apply(byte[] pixels, int channels, (int Operations, int Magnitude) options, SeededRandom random)
    {
        for (int k = 0; k < options.Operations; k++)
        {
            int operation = random.NextInt(14);
            double m = options.Magnitude / Greatest * (random.NextDouble() < 0.5 ? -1 : 1);
            Run(pixels, channels, operation, m);
        }
    }

    /// <summary>One operation, numbered as in the paper's list; <paramref name="m"/> of [-1, 1].</summary>
    internal static void Run(byte[] pixels, int channels, int operation, double m)
    {
        int side = (int)Math.Sqrt(pixels.Length / channels);
        switch (operation)
        {
            case 0:
                break; // Identity.
            case 1:
                PerChannel(pixels, channels, AutoContrast);
                break;
            case 2:
                PerChannel(pixels, channels, Equalise);
                break;
            case 3:
                double angle = m * Math.PI / 6;
                Warp(pixels, channels, side, (x, y) => ((Math.Cos(angle) * x) - (Math.Sin(angle) * y),
                    (Math.Sin(angle) * x) + (Math.Cos(angle) * y)));
                break;
            case 4:
                double over = 256 * (1 - Math.Abs(m));
                Each(pixels, v => v >= over ? 255 - v : v);
                break;
            case 5:
                Blend(pixels, Grey(pixels, channels), 1 + (0.9 * m));
                break;
            case 6:
                int mask = 0xFF << (int)Math.Round(4 * Math.Abs(m)) & 0xFF;
                Each(pixels, v => (int)v & mask);
                break;
            case 7:
                double mean = Grey(pixels, channels).Average(v => (double)v);
                Each(pixels, v => mean + ((v - mean) * (1 + (0.9 * m))));
                break;
            case 8:
                Each(pixels, v => v * (1 + (0.9 * m)));
                break;
            case 9:
                Blend(pixels, Smooth(pixels, channels, side), 1 + (0.9 * m));
                break;
            case 10:
                Warp(pixels, channels, side, (x, y) => (x + (0.3 * m * y), y));
                break;
            case 11:
                Warp(pixels, channels, side, (x, y) => (x, y + (0.3 * m * x)));
                break;
            case 12:
                Warp(pixels, channels, side, (x, y) => (x + (m * side / 3), y));
                break;
            default:
                Warp(pixels, channels, side, (x, y) => (x, y + (m * side / 3)));
                break;
        }
    }

    private static byte Byte(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);

    private static void Each(byte[] pixels, Func<double, double> of)
    {
        byte[] table = [.. Enumerable.Range(0, 256).Select(v => Byte(of(v)))];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = table[pixels[i]];
    }

    /// <summary>From where (about the centre) a pixel is taken.</summary>
    private static void Warp(byte[] pixels, int channels, int side, Func<double, double, (double X, double Y)> from)
    {
        byte[] source = [.. pixels];
        double centre = (side - 1) / 2.0;
        for (int y = 0; y < side; y++)
        {
            for (int x = 0; x < side; x++)
            {
                (double fx, double fy) = from(x - centre, y - centre);
                int sx = (int)Math.Round(fx + centre), sy = (int)Math.Round(fy + centre);
                bool inside = sx >= 0 && sy >= 0 && sx < side && sy < side;
                for (int c = 0; c < channels; c++)
                    pixels[(((c * side) + y) * side) + x] = inside ? source[(((c * side) + sy) * side) + sx] : (byte)128;
            }
        }
    }

    private static void PerChannel(byte[] pixels, int channels, Action<Memory<byte>> apply)
    {
        int plane = pixels.Length / channels;
        for (int c = 0; c < channels; c++)
            apply(pixels.AsMemory(c * plane, plane));
    }

    private static void AutoContrast(Memory<byte> plane)
    {
        Span<byte> values = plane.Span;
        (byte low, byte high) = (255, 0);
        foreach (byte v in values)
            (low, high) = (Math.Min(low, v), Math.Max(high, v));
        if (high <= low)
            return;
        for (int i = 0; i < values.Length; i++)
            values[i] = Byte((values[i] - low) * 255.0 / (high - low));
    }

    private static void Equalise(Memory<byte> plane)
    {
        Span<byte> values = plane.Span;
        int[] counts = new int[256];
        foreach (byte v in values)
            counts[v]++;
        int first = Array.FindIndex(counts, n => n > 0);
        double rest = values.Length - counts[first];
        if (rest == 0)
            return;
        byte[] table = new byte[256];
        int sum = 0;
        for (int v = 0; v < 256; v++)
        {
            sum += counts[v];
            table[v] = Byte((sum - counts[first]) * 255 / rest);
        }

        for (int i = 0; i < values.Length; i++)
            values[i] = table[values[i]];
    }

    /// <summary>Luma (ITU-R BT.601) in every channel; one channel is its own.</summary>
    private static byte[] Grey(byte[] pixels, int channels)
    {
        if (channels != 3)
            return [.. pixels];
        int plane = pixels.Length / 3;
        byte[] grey = new byte[pixels.Length];
        for (int i = 0; i < plane; i++)
            grey[i] = grey[plane + i] = grey[(2 * plane) + i] =
                Byte((0.299 * pixels[i]) + (0.587 * pixels[plane + i]) + (0.114 * pixels[(2 * plane) + i]));
        return grey;
    }

    /// <summary>The 3 x 3 mean; the border stays.</summary>
    private static byte[] Smooth(byte[] pixels, int channels, int side)
    {
        byte[] smooth = [.. pixels];
        for (int c = 0; c < channels; c++)
        {
            for (int y = 1; y < side - 1; y++)
            {
                for (int x = 1; x < side - 1; x++)
                {
                    int sum = 0;
                    for (int k = 0; k < 9; k++)
                        sum += pixels[(((c * side) + y + (k / 3) - 1) * side) + x + (k % 3) - 1];
                    smooth[(((c * side) + y) * side) + x] = Byte(sum / 9.0);
                }
            }
        }

        return smooth;
    }

    /// <summary>Away from (factor over 1) or towards (under 1) a degenerate image.</summary>
    private static void Blend(byte[] pixels, byte[] degenerate, double factor)
    {
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = Byte(degenerate[i] + ((pixels[i] - degenerate[i]) * factor));
    }
}
