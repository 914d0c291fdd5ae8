using DaNas.Torch.Networks;
using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): w := w - lr (m' / (sqrt(v') + eps) + d w), with
/// bias-corrected
/// moments, beta2 0.999 and eps 1e-8.
/// </summary>
/// <param name="Beta1">The decay of the first moment, from 0 to below 1.</param>
public sealed record AdamW(double Beta1) : UpdateRule
{
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Moments => [string.Empty, "square/"];

    /// <inheritdoc/>
    public override void Apply(Slot slot, Tensor gradient, double learningRate, int number)
    {
        (Tensor first, Tensor second) = (slot.Moments[0].Buffer, slot.Moments[1].Buffer);
        first.Scale(Beta1).Add(gradient, 1 - Beta1);
        second.Scale(Beta2).Add(gradient * gradient, 1 - Beta2);
        Tensor direction = first / second.sqrt().Times(1 / Math.Sqrt(1 - Math.Pow(Beta2, number))).Plus(Epsilon);
        if (slot.Decay > 0)
            slot.Parameter.Scale(1 - (learningRate * slot.Decay));
        slot.Parameter.Add(direction, -learningRate / (1 - Math.Pow(Beta1, number)));
    }
}
