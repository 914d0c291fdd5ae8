// Shapes: N images, C channels in, M hidden channels, S squeeze channels, O channels out.
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

    public CandidateBlock(BlockPlan plan, NetworkSetup setup)
        : base(plan.Name)
    {
        residual = plan.IsResidual;
        foreach (PlanStep step in plan.Steps)
        {
            nn.Module<Tensor, Tensor> module = step is PlanStep.Conv conv
                ? new ConvNorm(conv, setup) : new SqueezeExcite((PlanStep.Squeeze)step, setup);
            steps.Add(module);
            register_module(step.Name, module);
        }
    }

    public override Tensor forward(Tensor input)
    {
        Tensor y = input;
        foreach (nn.Module<Tensor, Tensor> step in steps)
            y = step.call(y);
        return residual ? y.Plus(input) : y;
    }
}
