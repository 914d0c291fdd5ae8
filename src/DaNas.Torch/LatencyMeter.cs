// Shapes: N images, C channels, H height, W width.
using System.Diagnostics;
using DaNas.Domain.Architectures;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch;

/// <summary>
/// Forward passes of networks with random weights, without gradients, with running statistics: latency does not depend on the values.
/// </summary>
public sealed class LatencyMeter(SearchSpace space, LatencySetup setup)
{
    private readonly Device target = device(setup.Device);

    /// <summary>Milliseconds of passes of a whole architecture: a part of the repeats, so that several can take turns.</summary>
    public IReadOnlyList<double> Times(Architecture architecture, int parts)
    {
        NormMode norm = new() { UseBatchStatistics = false };
        using ChainNetwork network = new(space, new AliveBlocks(architecture.Blocks.Select(b => (ValueList<string>)[b]).ToValueList()),
            new NetworkSetup(new SeededRandom(1), target, norm));
        return Time([setup.Batch, space.InputChannels, space.Resolution, space.Resolution], x => network.Forward(x, architecture.Blocks),
            Math.Max(1, setup.Repeats / parts));
    }

    /// <summary>One candidate block of one layer by itself.</summary>
    public Latency Of(LayerSpec layer, BlockSpec block)
    {
        using CandidateBlock module = new(BlockPlan.Of(space, layer, block),
            new NetworkSetup(new SeededRandom(1), target, new NormMode { UseBatchStatistics = false }));
        return Latency.Of(Time([setup.Batch, layer.InChannels, layer.InResolution, layer.InResolution], module.call, setup.Repeats));
    }

    /// <summary>
    /// What every architecture of the space has: stem, and head convolution (the classifier is left out: it is a thousandth of either).
    /// </summary>
    public double FixedMilliseconds()
    {
        NetworkSetup random = new(new SeededRandom(1), target, new NormMode { UseBatchStatistics = false });
        using ConvNorm stem = new(NetworkPlan.StemOf(space), random);
        double milliseconds =
            Latency.Of(Time([setup.Batch, space.InputChannels, space.Resolution, space.Resolution], stem.call, setup.Repeats)).Median;
        if (NetworkPlan.HeadOf(space) is not { } last)
            return milliseconds;
        using ConvNorm head = new(last, random);
        return milliseconds
            + Latency.Of(Time([setup.Batch, last.Input, space.LastResolution, space.LastResolution], head.call, setup.Repeats)).Median;
    }

    private List<double> Time(long[] shape, Func<Tensor, Tensor> forward, int repeats)
    {
        SeededRandom random = new(2);
        float[] values = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => (float)random.NextGaussian())];
        using IDisposable frozen = no_grad();
        using DisposeScope whole = NewDisposeScope();
        Tensor input = setup.ChannelsLast ? tensor(values, [shape[0], shape[2], shape[3], shape[1]], device: target).permute(0, 3, 1, 2)
            : tensor(values, shape, device: target);
        List<double> times = [];
        for (int i = -setup.WarmUp; i < repeats; i++)
        {
            using DisposeScope pass = NewDisposeScope();
            long started = Stopwatch.GetTimestamp();
            Tensor output = forward(input);
            if (setup.Device != "cpu")
                _ = output.sum().cpu().item<float>(); // Waits for the device.
            if (i >= 0)
                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return times;
    }
}
