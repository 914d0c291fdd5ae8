// Shapes: N pictures, C channels in, M hidden channels, S squeeze channels, O channels out.
using DaNas.Domain.SearchSpaces;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>A candidate block of one layer: inverted residual (Sandler et al. 2018), or skip.</summary>
public sealed class CandidateBlock : nn.Module<Tensor, Tensor>
{
    private readonly List<nn.Module<Tensor, Tensor>> steps = [];
    private readonly bool residual;

    public CandidateBlock(SearchSpace space, LayerSpec layer, BlockSpec block, NetworkSetup setup)
        : base(block.Name)
    {
        Activation act = block.Swish ? Activation.Swish : space.Activation;
        if (block.IsSkip)
        {
            if (!layer.KeepsShape)
                Add(new ConvNorm("project", new(layer.InChannels, layer.OutChannels, 1, layer.Stride, 1, null), setup));
            return;
        }

        residual = layer.KeepsShape;
        int hidden = layer.InChannels * block.Expansion;
        if (block.Expansion > 1 || space.ExpandAlways)
            Add(new ConvNorm("expand", new(layer.InChannels, hidden, 1, 1, block.Groups, act), setup));
        Add(new ConvNorm("depthwise", new(hidden, hidden, block.Kernel, layer.Stride, hidden, act), setup));
        if (block.SqueezeExcite)
            Add(new SqueezeExcite(hidden, CostTable.SqueezeChannels(hidden), setup));
        Add(new ConvNorm("project", new(hidden, layer.OutChannels, 1, 1, block.Groups, null), setup));
    }

    public override Tensor forward(Tensor input)
    {
        Tensor y = input;
        foreach (nn.Module<Tensor, Tensor> step in steps)
            y = step.call(y);
        return residual ? y + input : y;
    }

    private void Add(nn.Module<Tensor, Tensor> step)
    {
        steps.Add(step);
        register_module(step.GetName(), step);
    }
}

/// <summary>Squeeze-excite (Hu et al. 2018): channel weights from the globally averaged picture, [N, M, H, W] to the same.</summary>
public sealed class SqueezeExcite : nn.Module<Tensor, Tensor>
{
    private readonly Parameter reduce_SM;
    private readonly Parameter reduceBias;
    private readonly Parameter expand_MS;
    private readonly Parameter expandBias;
    private readonly int hidden;

    public SqueezeExcite(int hidden, int squeeze, NetworkSetup setup)
        : base("squeeze-excite")
    {
        this.hidden = hidden;
        reduce_SM = setup.Weight([squeeze, hidden], Math.Sqrt(2.0 / hidden));
        reduceBias = setup.Constant(squeeze, 0);
        expand_MS = setup.Weight([hidden, squeeze], Math.Sqrt(1.0 / squeeze));
        expandBias = setup.Constant(hidden, 0);
        register_parameter("reduce", reduce_SM);
        register_parameter("reduce-bias", reduceBias);
        register_parameter("expand", expand_MS);
        register_parameter("expand-bias", expandBias);
    }

    public override Tensor forward(Tensor input)
    {
        Tensor z_NM = input.mean([2, 3]);
        Tensor z_NS = nn.functional.relu(nn.functional.linear(z_NM, reduce_SM, reduceBias));
        Tensor gate_NM = sigmoid(nn.functional.linear(z_NS, expand_MS, expandBias));
        return input * gate_NM.reshape(-1, hidden, 1, 1);
    }
}
