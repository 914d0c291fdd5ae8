using System.Runtime.InteropServices;

namespace DaNas.Torch.Checkpoints;

/// <summary>One tensor of a checkpoint on the host: float32 or float64, little endian, default layout.</summary>
public sealed record HostTensor(string Type, long[] Shape, byte[] Bytes)
{
    public Span<float> Floats => MemoryMarshal.Cast<byte, float>(Bytes.AsSpan());

    public Span<double> Doubles => MemoryMarshal.Cast<byte, double>(Bytes.AsSpan());

    public static HostTensor Of(ReadOnlySpan<float> values, params long[] shape) =>
        new("F32", shape, MemoryMarshal.AsBytes(values).ToArray());

    public static HostTensor Of(ReadOnlySpan<double> values) => new("F64", [values.Length], MemoryMarshal.AsBytes(values).ToArray());
}
