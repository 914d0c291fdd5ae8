// Shapes: N pictures, C channels in, O channels out, H height, W width, K kernel size.
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>How batch norm works just now: with the batch's statistics or the running ones, and how fast the running ones move.</summary>
public sealed class NormMode
{
    public bool UseBatchStatistics { get; set; } = true;

    /// <summary>Whether batch norm is left out altogether, as synflow asks for.</summary>
    public bool Skipped { get; init; }

    /// <summary>0 leaves the running statistics as they are.</summary>
    public double Momentum { get; set; } = 0.1;
}

/// <summary>Where and how a network's tensors are made: the seed's generator, the device, the shared norm mode.</summary>
public sealed record NetworkSetup(SeededRandom? Random, Device Device, NormMode Norm)
{
    public ScalarType Type { get; init; } = ScalarType.Float32;

    /// <summary>Normal values (He et al. 2015, fan out), or zeros where the weights come from a checkpoint.</summary>
    public Parameter Weight(long[] shape, double deviation)
    {
        long count = shape.Aggregate(1L, (a, b) => a * b);
        float[] values = new float[count];
        for (int i = 0; Random is not null && i < count; i++)
            values[i] = (float)(Random.NextGaussian() * deviation);
        using Tensor data = tensor(values, shape, dtype: Type, device: Device);
        return Kept(nn.Parameter(data));
    }

    public Parameter Constant(long size, double value)
    {
        using Tensor data = Filled(size, value);
        return Kept(nn.Parameter(data));
    }

    /// <summary>A batch-norm statistic; like a parameter it belongs to its module, not to a dispose scope.</summary>
    public Tensor Statistic(long size, double value) => Filled(size, value).DetachFromDisposeScope();

    private static Parameter Kept(Parameter parameter)
    {
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    private Tensor Filled(long size, double value) => value == 0 ? zeros([size], dtype: Type, device: Device) : ones([size], dtype: Type, device: Device);
}

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
    /// [N, C, H, W] x [O, C / groups, K, K] to [N, O, H', W']. oneDNN 3.7.1, which libtorch 2.10 brings, gives wrong results for 1x1 convolutions whose output channels are 8 more than a multiple of 32
    /// (40, 72, 104) on AVX-512 machines; those are computed as the matrix product that they are, [N H W, C] x [C, O]. <see cref="ConvolutionCheck"/> looks whether the others are right.
    /// </summary>
    internal static Tensor Convolve(Tensor x_NCHW, Tensor weight_OCKK, PlanStep.Conv shape)
    {
        const int block = 32;
        const int wrongTail = 8;
        if (shape.Kernel != 1 || shape.Groups != 1 || shape.Output % block != wrongTail)
            return nn.functional.conv2d(x_NCHW, weight_OCKK, strides: [shape.Stride, shape.Stride], padding: [shape.Kernel / 2, shape.Kernel / 2], groups: shape.Groups);
        Tensor strided = shape.Stride == 1 ? x_NCHW : x_NCHW.slice(2, 0, x_NCHW.shape[2], shape.Stride).slice(3, 0, x_NCHW.shape[3], shape.Stride);
        return nn.functional.linear(strided.permute(0, 2, 3, 1), weight_OCKK.reshape(shape.Output, shape.Input)).permute(0, 3, 1, 2);
    }
}
