using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>One block: its steps one after another; a residual one adds its input to what comes out.</summary>
public sealed record BlockPlan(string Name, ValueList<PlanStep> Steps, bool IsResidual)
{
    /// <summary>The name of a block of a layer (from 0), under which its tensors are kept: <c>L03-k5e6</c>.</summary>
    public static string NameOf(int layer, string block) => Invariant($"L{layer + 1:00}-{block}");

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
