using System.Globalization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>One step of a network, by the name under which its tensors are kept.</summary>
public abstract record PlanStep(string Name)
{
    /// <summary>
    /// Convolution without bias (padding Kernel / 2), batch norm, activation (null: none): [N, Input, H, W] to [N, Output, ceil(H / Stride), ceil(W / Stride)].
    /// Tensors: weight [Output, Input / Groups, Kernel, Kernel], gamma, beta, mean, variance [Output].
    /// </summary>
    public sealed record Conv(string Name, int Input, int Output, int Kernel, int Stride, int Groups, Activation? Activation) : PlanStep(Name);

    /// <summary>
    /// Squeeze-excite (Hu et al. 2018): x * sigmoid(expand(relu(reduce(mean of x)))). Tensors: reduce [Squeeze, Channels], reduce-bias, expand [Channels, Squeeze], expand-bias.
    /// </summary>
    public sealed record Squeeze(string Name, int Channels, int Inner) : PlanStep(Name);
}

/// <summary>One block: its steps one after another; a residual one adds its input to what comes out.</summary>
public sealed record BlockPlan(string Name, ValueList<PlanStep> Steps, bool IsResidual)
{
    /// <summary>The name of a block of a layer (from 0), under which its tensors are kept: <c>L03-k5e6</c>.</summary>
    public static string NameOf(int layer, string block) => string.Create(CultureInfo.InvariantCulture, $"L{layer + 1:00}-{block}");

    /// <summary>Inverted residual (Sandler et al. 2018): expand, depthwise, squeeze-excite, project; or skip.</summary>
    public static BlockPlan Of(SearchSpace space, LayerSpec layer, BlockSpec block)
    {
        Activation act = block.Swish ? Activation.Swish : space.Activation;
        string name = NameOf(layer.Index, block.Name);
        List<PlanStep> steps = [];
        if (block.IsSkip)
        {
            if (!layer.KeepsShape)
                steps.Add(new PlanStep.Conv("project", layer.InChannels, layer.OutChannels, 1, layer.Stride, 1, null));
            return new(name, steps.ToValueList(), false);
        }

        int hidden = layer.InChannels * block.Expansion;
        if (block.Expansion > 1 || space.ExpandAlways)
            steps.Add(new PlanStep.Conv("expand", layer.InChannels, hidden, 1, 1, block.Groups, act));
        steps.Add(new PlanStep.Conv("depthwise", hidden, hidden, block.Kernel, layer.Stride, hidden, act));
        if (block.SqueezeExcite)
            steps.Add(new PlanStep.Squeeze("squeeze-excite", hidden, CostTable.SqueezeChannels(hidden)));
        steps.Add(new PlanStep.Conv("project", hidden, layer.OutChannels, 1, 1, block.Groups, null));
        return new(name, steps.ToValueList(), layer.KeepsShape);
    }
}

/// <summary>
/// A network as it is computed, the one description that training and every export build from: stem, blocks, head (null: none), global average pool, linear
/// classifier (weight [Classes, Features], bias [Classes]).
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

    public static PlanStep.Conv StemOf(SearchSpace space) => new("stem", space.InputChannels, space.Stem.Channels, space.Stem.Kernel, space.Stem.Stride, 1, space.Activation);

    public static PlanStep.Conv? HeadOf(SearchSpace space) => space.Head.Channels == 0 ? null : new("head", space.Layers[^1].OutChannels, space.Head.Channels, 1, 1, 1, space.Activation);
}
