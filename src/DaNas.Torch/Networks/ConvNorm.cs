// Shapes: N images, C channels in, O channels out, H height, W width, K kernel size.
using DaNas.Domain.SearchSpaces;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>Convolution without bias, batch norm, activation: [N, C, H, W] to [N, O, H', W'].</summary>
public sealed class ConvNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight_OCKK;
    private readonly Parameter gamma;
    private readonly Parameter beta;
    private readonly Tensor runningMean;
    private readonly Tensor runningVariance;
    private readonly PlanStep.Conv shape;
    private readonly NormMode norm;

    public ConvNorm(PlanStep.Conv shape, NetworkSetup setup)
        : base(shape.Name)
    {
        this.shape = shape;
        norm = setup.Norm;
        double fanOut = (double)shape.Kernel * shape.Kernel * shape.Output / shape.Groups;
        weight_OCKK = setup.Weight([shape.Output, shape.Input / shape.Groups, shape.Kernel, shape.Kernel], Math.Sqrt(2 / fanOut));
        gamma = setup.Constant(shape.Output, 1);
        beta = setup.Constant(shape.Output, 0);
        runningMean = setup.Statistic(shape.Output, 0);
        runningVariance = setup.Statistic(shape.Output, 1);
        register_parameter("weight", weight_OCKK);
        register_parameter("gamma", gamma);
        register_parameter("beta", beta);
        register_buffer("mean", runningMean);
        register_buffer("variance", runningVariance);
    }

    public override Tensor forward(Tensor input)
    {
        Tensor y = Convolve(input, weight_OCKK, shape);
        if (!norm.Skipped)
            y = nn.functional.batch_norm(y, runningMean, runningVariance, gamma, beta, norm.UseBatchStatistics, norm.Momentum);
        return shape.Activation switch
        {
            Activation.Relu => nn.functional.relu(y, inplace: true),
            Activation.Relu6 => nn.functional.relu6(y, inplace: true),
            Activation.Swish => nn.functional.silu(y, inplace: false),
            _ => y,
        };
    }

    /// <summary>
    /// [N, C, H, W] x [O, C / groups, K, K] to [N, O, H', W']. oneDNN 3.7.1, which libtorch 2.10 brings, gives wrong results for 1x1
    /// convolutions whose output channels are 8 more than a multiple of 32 (40, 72, 104) on AVX-512 machines; those are computed as the
    /// matrix product that they are, [N H W, C] x [C, O]. <see cref="ConvolutionCheck"/> looks whether the others are right.
    /// </summary>
    internal static Tensor Convolve(Tensor x_NCHW, Tensor weight_OCKK, PlanStep.Conv shape)
    {
        const int block = 32;
        const int wrongTail = 8;
        if (shape.Kernel != 1 || shape.Groups != 1 || shape.Output % block != wrongTail)
            return nn.functional.conv2d(x_NCHW, weight_OCKK, strides: [shape.Stride, shape.Stride],
                padding: [shape.Kernel / 2, shape.Kernel / 2], groups: shape.Groups);
        Tensor strided = shape.Stride == 1 ? x_NCHW : x_NCHW.slice(2, 0, x_NCHW.shape[2], shape.Stride).slice(
            3, 0, x_NCHW.shape[3], shape.Stride);
        return nn.functional.linear(strided.permute(0, 2, 3, 1), weight_OCKK.reshape(shape.Output, shape.Input)).permute(0, 3, 1, 2);
    }
}
