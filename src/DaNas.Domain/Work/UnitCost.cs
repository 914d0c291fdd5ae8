namespace DaNas.Domain.Work;

/// <summary>Work done: images forwarded, images with a backward pass, MACs of the forward passes.</summary>
public sealed record UnitCost(long ForwardImages, long BackwardImages, long ForwardMacs)
{
    public static UnitCost Zero { get; } = new(0, 0, 0);

    public static UnitCost operator +(UnitCost a, UnitCost b) =>
        new(a.ForwardImages + b.ForwardImages, a.BackwardImages + b.BackwardImages, a.ForwardMacs + b.ForwardMacs);

    public static UnitCost Add(UnitCost left, UnitCost right) => left + right;
}
