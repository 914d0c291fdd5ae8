using DaNas.Torch.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>Steps over the parts of a network that a batch used; its state is part of a checkpoint.</summary>
public interface IOptimiser : IDisposable
{
    /// <summary>What must be stored to go on, by name.</summary>
    IEnumerable<(string Name, Tensor Buffer)> Buffers { get; }

    /// <summary>One step over the parts that were used, then their gradients are null again. Steps are counted from 1.</summary>
    void Step(IReadOnlyList<NetworkPart> used, double learningRate, int number);
}

/// <summary>
/// SGD with momentum, b := m b + (g + d w), w := w - lr b. A parameter without a gradient (a block outside the path) stays as it is, its
/// momentum too: gradients are null there, never zero. Weight decay acts on weights of two dimensions and more. TorchSharp's own SGD keeps its momenta by position and cannot give them by name,
/// which pruning and checkpoints need.
/// </summary>
public sealed class Optimiser : IOptimiser
{
    private readonly Dictionary<string, Entry[]> parts;
    private readonly double momentum;

    public Optimiser(ChainNetwork network, Device device, double momentum, double weightDecay)
    {
        this.momentum = momentum;
        parts = network.Parts.ToDictionary(p => p.Name, p => p.Parameters.Select(x => new Entry(x.Name, x.Parameter, device, weightDecay)).ToArray(), StringComparer.Ordinal);
    }

    public IEnumerable<(string Name, Tensor Buffer)> Buffers => parts.Values.SelectMany(p => p).Select(e => (e.Name, e.Buffer));

    public void Step(IReadOnlyList<NetworkPart> used, double learningRate, int number = 1)
    {
        using IDisposable frozen = no_grad();
        foreach (Entry e in used.SelectMany(p => parts[p.Name]))
        {
            using Tensor? gradient = e.Parameter.grad;
            if (gradient is null)
                continue;
            e.Buffer.Scale(momentum).Add(gradient, 1);
            if (e.Decay > 0)
                e.Buffer.Add(e.Parameter, e.Decay);
            e.Parameter.Add(e.Buffer, -learningRate);
            e.Parameter.grad = null;
        }
    }

    public void Dispose()
    {
        foreach ((_, Tensor buffer) in Buffers)
            buffer.Dispose();
    }

    private sealed class Entry(string name, Parameter parameter, Device device, double weightDecay)
    {
        public string Name => name;

        public Parameter Parameter => parameter;

        public Tensor Buffer { get; } = zeros(parameter.shape, device: device).DetachFromDisposeScope();

        public double Decay { get; } = parameter.shape.Length >= 2 ? weightDecay : 0;
    }
}
