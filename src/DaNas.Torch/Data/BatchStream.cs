using System.Collections.Concurrent;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// The endless sequence of a split's images, epoch after epoch, each epoch in its own order. Batch b is a pure function of
/// (seed, b): any shard can start anywhere.
/// </summary>
public sealed class BatchStream(ImageSet images, ImageEntry[] entries, long seed, BatchShape shape, AugmentOptions? augment)
{
    private readonly Dictionary<long, int[]> orders = [];

    /// <summary>The batch at an index of the endless sequence.</summary>
    public HostBatch At(long batch)
    {
        float[] pixels = new float[shape.Size * images.PixelCount];
        long[] labels = new long[shape.Size];
        byte[] scratch = new byte[images.PixelCount];
        for (int i = 0; i < shape.Size; i++)
        {
            long position = (batch * shape.Size) + i;
            ImageEntry entry = entries[Order(position / entries.Length)[position % entries.Length]];
            byte[] source = images.Load(entry);
            if (augment is not null)
            {
                SeededRandom random = new(SeededRandom.Derive(seed, "augment", position));
                Augmentation.Apply(source, scratch, shape.Channels, augment, random);
                RandAugment.Apply(scratch, shape.Channels, augment.Rand, random);
                source = scratch;
            }

            Write(source, pixels.AsSpan(i * images.PixelCount, images.PixelCount));
            labels[i] = entry.Class;
        }

        return new(pixels, labels);
    }

    /// <summary>All entries once, in order, without augmentation; the last batch is smaller.</summary>
    public static IEnumerable<HostBatch> Once(ImageSet images, ImageEntry[] entries, BatchShape shape)
    {
        for (int from = 0; from < entries.Length; from += shape.Size)
        {
            ImageEntry[] part = entries[from..Math.Min(entries.Length, from + shape.Size)];
            BatchStream stream = new(images, part, 0, shape with { Size = part.Length }, null) { InOrder = true };
            yield return stream.At(0);
        }
    }

    /// <summary>Batches made ahead on a thread of their own, in order.</summary>
    public IEnumerable<HostBatch> Prefetch(IReadOnlyList<long> batches, int ahead)
    {
        if (ahead == 0)
        {
            foreach (long batch in batches)
                yield return At(batch);
            yield break;
        }

        using BlockingCollection<(HostBatch? Batch, Exception? Fault)> ready = new(ahead);
        using CancellationTokenSource stop = new();
        Thread thread = new(() => Fill(batches, ready, stop.Token)) { IsBackground = true, Name = "danas-prefetch" };
        thread.Start();
        try
        {
            foreach ((HostBatch? batch, Exception? fault) in ready.GetConsumingEnumerable())
                yield return batch ?? throw fault!;
        }
        finally
        {
            stop.Cancel();
            thread.Join();
        }
    }

    private bool InOrder { get; init; }

    private void Fill(IReadOnlyList<long> batches, BlockingCollection<(HostBatch? Batch, Exception? Fault)> ready, CancellationToken stop)
    {
        try
        {
            foreach (long batch in batches)
                ready.Add((At(batch), null), stop);
        }
        catch (OperationCanceledException)
        {
            // The consumer has had enough.
        }
        catch (Domain.Ports.DataException e)
        {
            ready.Add((null, e), CancellationToken.None);
        }
        finally
        {
            ready.CompleteAdding();
        }
    }

    private int[] Order(long epoch)
    {
        if (orders.TryGetValue(epoch, out int[]? known))
            return known;
        int[] order = [.. Enumerable.Range(0, entries.Length)];
        if (!InOrder)
            new SeededRandom(SeededRandom.Derive(seed, "epoch", epoch)).Shuffle(order.AsSpan());
        if (orders.Count > 2)
            orders.Remove(orders.Keys.Min());
        return orders[epoch] = order;
    }

    private void Write(byte[] source, Span<float> target)
    {
        const float scale = 1f / (255f * 0.25f);
        if (!shape.ChannelsLast)
        {
            for (int i = 0; i < source.Length; i++)
                target[i] = (source[i] * scale) - 2f;
            return;
        }

        int plane = source.Length / shape.Channels;
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int i = 0; i < plane; i++)
                target[(i * shape.Channels) + c] = (source[(c * plane) + i] * scale) - 2f;
        }
    }
}

/// <summary>Random crop with padding, horizontal flip and cutout (DeVries and Taylor 2017) on [C, H, W] bytes.</summary>
internal static class Augmentation
{
    public static void Apply(byte[] source, byte[] target, int channels, AugmentOptions o, SeededRandom random)
    {
        int side = (int)Math.Sqrt(source.Length / channels);
        int dx = o.CropPadding > 0 ? random.NextInt((2 * o.CropPadding) + 1) - o.CropPadding : 0;
        int dy = o.CropPadding > 0 ? random.NextInt((2 * o.CropPadding) + 1) - o.CropPadding : 0;
        bool flip = o.Flip && random.NextDouble() < 0.5;
        int hx = o.Cutout > 0 ? random.NextInt(side) : 0;
        int hy = o.Cutout > 0 ? random.NextInt(side) : 0;
        for (int c = 0; c < channels; c++)
        {
            for (int y = 0; y < side; y++)
            {
                for (int x = 0; x < side; x++)
                {
                    int sx = (flip ? side - 1 - x : x) + dx;
                    int sy = y + dy;
                    bool hole = o.Cutout > 0 && Math.Abs(x - hx) * 2 < o.Cutout && Math.Abs(y - hy) * 2 < o.Cutout;
                    bool outside = sx < 0 || sy < 0 || sx >= side || sy >= side;
                    target[(((c * side) + y) * side) + x] = hole || outside ? (byte)128 : source[(((c * side) + sy) * side) + sx];
                }
            }
        }
    }
}
