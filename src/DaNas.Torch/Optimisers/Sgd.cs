using DaNas.Torch.Networks;
using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>SGD with momentum m and weight decay d: b := m b + (g + d w), w := w - lr b.</summary>
/// <param name="Momentum">m, from 0 to below 1.</param>
public sealed record Sgd(double Momentum) : UpdateRule
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Moments => [string.Empty];

    /// <inheritdoc/>
    public override void Apply(Slot slot, Tensor gradient, double learningRate, int number)
    {
        Tensor buffer = slot.Moments[0].Buffer;
        buffer.Scale(Momentum).Add(gradient, 1);
        if (slot.Decay > 0)
            buffer.Add(slot.Parameter, slot.Decay);
        slot.Parameter.Add(buffer, -learningRate);
    }
}
