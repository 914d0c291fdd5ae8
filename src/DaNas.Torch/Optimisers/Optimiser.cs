using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>
/// Steps over the parts of a network that a batch used. A parameter without a gradient (a block outside the path) stays as it is, its
/// moments
/// too: gradients are null there, never zero. Weight decay acts on weights of two dimensions and more. Moments are known by name, which
/// pruning
/// and checkpoints need; TorchSharp's own optimisers keep theirs by position.
/// </summary>
public sealed class Optimiser : IDisposable
{
    private readonly UpdateRule rule;
    private readonly Dictionary<string, Slot[]> parts;

    /// <param name="network">The network whose parameters are learned.</param>
    /// <param name="device">The device of the moments: that of the parameters.</param>
    /// <param name="weightDecay">The weight decay, 0 or more.</param>
    /// <param name="rule">The step of one parameter.</param>
    public Optimiser(ChainNetwork network, Device device, double weightDecay, UpdateRule rule)
    {
        this.rule = rule;
        parts = network.Parts.ToDictionary(
            p => p.Name,
            p => p.Parameters.Select(x => new Slot(
                x.Parameter,
                [.. rule.Moments.Select(m => (m + x.Name, zeros(x.Parameter.shape, device: device).DetachFromDisposeScope()))],
                x.Parameter.shape.Length >= 2 ? weightDecay : 0)).ToArray(),
            StringComparer.Ordinal);
    }

    /// <summary>The moments by name: what a checkpoint needs to continue.</summary>
    public IEnumerable<(string Name, Tensor Buffer)> Buffers => parts.Values.SelectMany(p => p).SelectMany(s => s.Moments);

    /// <summary>One step over the parts that were used, after which their gradients are null again.</summary>
    /// <param name="used">The parts of the network that took part in the forward pass.</param>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="number">The step's number, from 1; SGD does not need it.</param>
    public void Step(IReadOnlyList<NetworkPart> used, double learningRate, int number = 1)
    {
        using IDisposable frozen = no_grad();
        using DisposeScope scope = NewDisposeScope();
        foreach (Slot slot in used.SelectMany(p => parts[p.Name]))
        {
            if (slot.Parameter.grad is not { } gradient)
                continue;
            rule.Apply(slot, gradient, learningRate, number);
            slot.Parameter.grad = null;
        }
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose()
    {
        foreach ((_, Tensor buffer) in Buffers)
            buffer.Dispose();
    }
}
