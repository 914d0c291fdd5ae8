// Shapes: N images, C channels in, O channels out, H height, W width, K kernel size.
using DaNas.Domain.Values;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

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

    private Tensor Filled(long size, double value) => value == 0
        ? zeros([size], dtype: Type, device: Device) : ones([size], dtype: Type, device: Device);
}
