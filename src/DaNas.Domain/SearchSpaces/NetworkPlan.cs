using DaNas.Domain.Architectures;
using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>
/// A network as it is computed, the one description that training and every export build from: stem, blocks, head (null: none), global
/// average pool, linear classifier (weight [Classes, Features], bias [Classes]).
/// </summary>
public sealed record NetworkPlan(PlanStep.Conv Stem, ValueList<BlockPlan> Blocks, PlanStep.Conv? Head, int Features, int Classes)
{
    /// <summary>Added to the variance in batch norm.</summary>
    public const double NormEpsilon = 1e-5;

    public static NetworkPlan Of(SearchSpace space, Architecture architecture) => new(
        StemOf(space),
        architecture.Blocks.Select((b, l) => BlockPlan.Of(space, space.Layers[l], space.Layers[l].Block(b))).ToValueList(),
        HeadOf(space),
        space.LastChannels,
        space.Classes);

    public static PlanStep.Conv StemOf(SearchSpace space) =>
        new("stem", space.InputChannels, space.Stem.Channels, space.Stem.Kernel, space.Stem.Stride, 1, space.Activation);

    public static PlanStep.Conv? HeadOf(SearchSpace space) =>
        space.Head.Channels == 0 ? null : new("head", space.Layers[^1].OutChannels, space.Head.Channels, 1, 1, 1, space.Activation);
}
