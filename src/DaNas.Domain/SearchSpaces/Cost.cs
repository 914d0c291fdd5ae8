namespace DaNas.Domain.SearchSpaces;

/// <summary>Parameters (batch norm counts 2 a channel) and MACs of one image (convolutions and linear layers only).</summary>
public readonly record struct Cost(long Parameters, long Macs)
{
    public static Cost operator +(Cost a, Cost b) => new(a.Parameters + b.Parameters, a.Macs + b.Macs);

    public static Cost Add(Cost left, Cost right) => left + right;
}
