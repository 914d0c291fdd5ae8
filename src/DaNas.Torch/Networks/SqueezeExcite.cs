// Shapes: N images, C channels in, M hidden channels, S squeeze channels, O channels out.
using DaNas.Domain.SearchSpaces;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>Squeeze-excite (Hu et al. 2018): channel weights from the globally averaged image, [N, M, H, W] to the same.</summary>
public sealed class SqueezeExcite : nn.Module<Tensor, Tensor>
{
    private readonly Parameter reduce_SM;
    private readonly Parameter reduceBias;
    private readonly Parameter expand_MS;
    private readonly Parameter expandBias;
    private readonly int hidden;

    public SqueezeExcite(PlanStep.Squeeze plan, NetworkSetup setup)
        : base(plan.Name)
    {
        hidden = plan.Channels;
        int squeeze = plan.Inner;
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
