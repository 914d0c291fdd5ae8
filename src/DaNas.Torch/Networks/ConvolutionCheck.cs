// Shapes: N images, C channels in, O channels out, H height, W width, K kernel size.
using System.Globalization;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>
/// Whether this machine's convolutions are right: each kind that a search space has, forwards and backwards in float32, beside float64,
/// which takes other kernels. A wrong one trains on without a word and finds nothing.
/// </summary>
public static class ConvolutionCheck
{
    private const int Images = 16;
    private const int LargestSide = 12;
    private const double Tolerance = 1e-3;

    /// <summary>Throws <see cref="DataException"/> with the kind that is wrong and the remedy.</summary>
    public static void Run(SearchSpace space, bool channelsLast)
    {
        foreach ((PlanStep.Conv conv, int side) in KindsOf(space))
        {
            if (Difference(conv, side, channelsLast) is var difference && !(difference < Tolerance))
                throw new DataException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{TorchBinding.Description} computes {conv.Kernel}x{conv.Kernel} convolutions of {conv.Input} to {conv.Output} " +
                        $"channels (stride {conv.Stride}, {conv.Groups} groups, {(channelsLast ? "channels-last" : "default layout")}) " +
                        $"wrongly on this machine: they differ from float64 by {difference:0.00} of the largest value. Start danas with " +
                        $"ONEDNN_MAX_CPU_ISA=AVX2 in the environment, or choose the other trainers.layout"));
        }
    }

    /// <summary>The largest difference of output, input gradient and weight gradient, as a share of the largest value.</summary>
    internal static double Difference(PlanStep.Conv conv, int side, bool channelsLast)
    {
        using DisposeScope scope = NewDisposeScope();
        SeededRandom random = new(1);
        Tensor values = Random(random, Images, side, side, conv.Input);
        Tensor x_NCHW = channelsLast ? values.permute(0, 3, 1, 2) : values.permute(0, 3, 1, 2).contiguous();
        Tensor weight_OCKK = Random(random, conv.Output, conv.Input / conv.Groups, conv.Kernel, conv.Kernel);
        Tensor[] own = Gradients(x_NCHW, weight_OCKK, conv),
            exact = Gradients(x_NCHW.to_type(ScalarType.Float64), weight_OCKK.to_type(ScalarType.Float64), conv);
        return own.Zip(exact, (a, b) => a.to_type(ScalarType.Float64)
            .Plus(b.Times(-1)).abs().max().item<double>() / b.abs().max().item<double>()).Max();
    }

    private static Tensor[] Gradients(Tensor x_NCHW, Tensor weight_OCKK, PlanStep.Conv conv)
    {
        Tensor x = x_NCHW.detach(), weight = weight_OCKK.detach();
        (x.requires_grad, weight.requires_grad) = (true, true);
        Tensor y = ConvNorm.Convolve(x, weight, conv);
        (y * y).sum().backward();
        return [y.detach(), x.grad!, weight.grad!];
    }

    /// <summary>Each different convolution with the side of its input, which is cut to keep the check short.</summary>
    private static IEnumerable<(PlanStep.Conv Conv, int Side)> KindsOf(SearchSpace space)
    {
        int last = space.Layers[^1].OutResolution;
        List<(PlanStep.Conv Conv, int Side)> all = [(NetworkPlan.StemOf(space), space.Resolution)];
        foreach (LayerSpec layer in space.Layers)
        {
            foreach (PlanStep.Conv conv in layer.Candidates.SelectMany(b => BlockPlan.Of(space, layer, b).Steps).OfType<PlanStep.Conv>())
                all.Add((conv, conv.Name == "project" && conv.Stride == 1 ? layer.OutResolution : layer.InResolution));
        }

        if (NetworkPlan.HeadOf(space) is { } head)
            all.Add((head, last));
        return all.Select(k => (k.Conv with { Name = string.Empty, Activation = null }, Math.Min(k.Side, LargestSide))).Distinct();
    }

    private static Tensor Random(SeededRandom random, params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)random.NextGaussian();
        return tensor(values, shape);
    }
}
