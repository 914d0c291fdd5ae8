// Shapes: N images, C channels, H height, W width.
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019): image i is mixed with image p(i) of the same batch, one share for the batch,
/// drawn from Beta(a, a). What happens to batch b is a function of (seed, b).
/// </summary>
public sealed class BatchMixing(double mixup, double cutmix, long seed)
{
    public Mixed Apply(HostBatch batch, BatchShape shape, long index)
    {
        SeededRandom random = new(SeededRandom.Derive(seed, index));
        bool cut = cutmix > 0 && (mixup <= 0 || random.NextDouble() < 0.5);
        double share = Beta(random, cut ? cutmix : mixup);
        int[] other = [.. Enumerable.Range(0, batch.Labels.Length)];
        random.Shuffle(other.AsSpan());
        float[] pixels = cut ? Cut(batch, shape, other, random, ref share) : Mix(batch, other, (float)share);
        return new(new HostBatch(pixels, batch.Labels), [.. other.Select(i => batch.Labels[i])], share);
    }

    private static float[] Mix(HostBatch batch, int[] other, float share)
    {
        int each = batch.Pixels.Length / batch.Labels.Length;
        float[] pixels = new float[batch.Pixels.Length];
        for (int i = 0; i < other.Length; i++)
        {
            ReadOnlySpan<float> own = batch.Pixels.AsSpan(i * each, each);
            ReadOnlySpan<float> from = batch.Pixels.AsSpan(other[i] * each, each);
            Span<float> to = pixels.AsSpan(i * each, each);
            for (int k = 0; k < each; k++)
                to[k] = (share * own[k]) + ((1 - share) * from[k]);
        }

        return pixels;
    }

    /// <summary>One rectangle of area 1 - share, its centre anywhere, cut off at the border; the share becomes what is left.</summary>
    private static float[] Cut(HostBatch batch, BatchShape shape, int[] other, SeededRandom random, ref double share)
    {
        int each = batch.Pixels.Length / batch.Labels.Length;
        int side = (int)Math.Round(Math.Sqrt(each / (double)shape.Channels));
        int half = (int)Math.Round(side * Math.Sqrt(1 - share) / 2);
        int cx = random.NextInt(side), cy = random.NextInt(side);
        (int x0, int x1) = (Math.Max(0, cx - half), Math.Min(side, cx + half));
        (int y0, int y1) = (Math.Max(0, cy - half), Math.Min(side, cy + half));
        share = 1 - ((x1 - x0) * (y1 - y0) / (double)(side * side));
        float[] pixels = [.. batch.Pixels];
        for (int i = 0; i < other.Length; i++)
        {
            for (int y = y0; y < y1; y++)
            {
                if (shape.ChannelsLast)
                {
                    int row = ((y * side) + x0) * shape.Channels;
                    batch.Pixels.AsSpan((other[i] * each) + row, (x1 - x0) * shape.Channels).CopyTo(pixels.AsSpan((i * each) + row));
                    continue;
                }

                for (int c = 0; c < shape.Channels; c++)
                {
                    int row = (((c * side) + y) * side) + x0;
                    batch.Pixels.AsSpan((other[i] * each) + row, x1 - x0).CopyTo(pixels.AsSpan((i * each) + row));
                }
            }
        }

        return pixels;
    }

    /// <summary>Beta(a, a) as a ratio of two gamma variables.</summary>
    private static double Beta(SeededRandom random, double a)
    {
        double x = Gamma(random, a), y = Gamma(random, a);
        return x + y > 0 ? x / (x + y) : 0.5;
    }

    /// <summary>Marsaglia and Tsang (2000); below 1 by Gamma(a) = Gamma(a + 1) U^(1/a).</summary>
    private static double Gamma(SeededRandom random, double a)
    {
        if (a < 1)
            return Gamma(random, a + 1) * Math.Pow(1 - random.NextDouble(), 1 / a);
        double d = a - (1.0 / 3), c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = random.NextGaussian();
            double v = Math.Pow(1 + (c * x), 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
                return d * v;
        }
    }
}
