// Shapes: N images, C channels, H height, W width.
using System.Diagnostics;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch;

/// <summary>What a training step costs on this machine: single-path weight steps of a supernet on random images.</summary>
public sealed record StepBenchmark(double ImagesPerSecond, double MacsPerSecond, double MeanLoss)
{
    private const int WarmUpSteps = 3;

    /// <summary>
    /// Trains for about a number of seconds. The path of step t takes candidate (7 t + 3 l) mod n in layer l, so that another program can
    /// run the same sequence.
    /// </summary>
    public static StepBenchmark Run(SearchSpace space, int batch, bool channelsLast, string where, double seconds)
    {
        Device target = device(where);
        SeededRandom random = new(1);
        using ChainNetwork network = Build(space, random, target);
        using Optimiser optimiser = new(network, target, 1e-4, new Sgd(0.9));
        CostTable costs = CostTable.Of(space);
        float[] pixels = [.. Enumerable.Range(0, batch * space.InputChannels * space.Resolution * space.Resolution)
            .Select(_ => (float)random.NextGaussian())];
        long[] labels = [.. Enumerable.Range(0, batch).Select(i => (long)(i % space.Classes))];
        long started = 0;
        long images = 0;
        double macs = 0;
        double loss = 0;
        int step = 0;
        for (; step <= WarmUpSteps || Stopwatch.GetElapsedTime(started).TotalSeconds < seconds; step++)
        {
            if (step == WarmUpSteps)
                (started, images, macs, loss) = (Stopwatch.GetTimestamp(), 0, 0, 0);
            string[] path = [.. space.Layers.Select((l, i) => l.Candidates[((7 * step) + (3 * i)) % l.Candidates.Count].Name)];
            loss += Step(network, optimiser, path, (Input(space, pixels, batch, channelsLast), labels), target);
            images += batch;
            macs += batch * (double)(costs.Fixed.Macs + path.Select((b, l) => costs.Of(l, b).Macs).Sum());
        }

        double elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new(images / elapsed, macs / elapsed, loss / (step - WarmUpSteps));
    }

    /// <summary>
    /// The space with one block a layer, the one nearest to the layer's mean cost: as fast a MAC as the whole supernet, without
    /// its memory.
    /// </summary>
    public static SearchSpace Typical(SearchSpace space)
    {
        CostTable costs = CostTable.Of(space);
        return space with
        {
            Layers = space.Layers.Select(l =>
            {
                double mean = l.Candidates.Average(b => costs.Of(l.Index, b.Name).Macs);
                return l with { Candidates = [l.Candidates.MinBy(b => Math.Abs(costs.Of(l.Index, b.Name).Macs - mean))!] };
            }).ToValueList(),
        };
    }

    private static ChainNetwork Build(SearchSpace space, SeededRandom random, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        return new ChainNetwork(space, space.AllBlocks, new NetworkSetup(random, device, new NormMode()));
    }

    private static float Step(ChainNetwork network, Optimiser optimiser, string[] path,
        ((float[] Values, long[] Shape, bool Permute) Input, long[] Labels) batch, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        ((float[] Values, long[] Shape, bool Permute) input, long[] labels) = batch;
        Tensor x = tensor(input.Values, input.Shape, device: device);
        Tensor x_NCHW = input.Permute ? x.permute(0, 3, 1, 2) : x;
        Tensor ce = nn.functional.cross_entropy(network.Forward(x_NCHW, path), tensor(labels, device: device));
        ce.backward();
        optimiser.Step(network.PartsOf(path), 0.01);
        return ce.item<float>();
    }

    private static (float[] Values, long[] Shape, bool Permute) Input(SearchSpace s, float[] pixels, int batch, bool channelsLast) =>
        channelsLast ? (pixels, [batch, s.Resolution, s.Resolution, s.InputChannels], true)
            : (pixels, [batch, s.InputChannels, s.Resolution, s.Resolution], false);
}
