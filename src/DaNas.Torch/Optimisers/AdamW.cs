using DaNas.Torch.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): w := w - lr (m' / (sqrt(v') + eps) + d w), with bias-corrected moments.
/// Weight decay acts on weights of two dimensions and more. Parameters without a gradient stay as they are, their moments too.
/// TorchSharp's own AdamW cannot give its moments by name, which checkpoints need.
/// </summary>
public sealed class AdamW : IOptimiser
{
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    private readonly Dictionary<string, Entry[]> parts;
    private readonly double beta1;

    public AdamW(ChainNetwork network, Device device, double beta1, double weightDecay)
    {
        this.beta1 = beta1;
        parts = network.Parts.ToDictionary(p => p.Name, p => p.Parameters.Select(x => new Entry(x.Name, x.Parameter, device, weightDecay)).ToArray(), StringComparer.Ordinal);
    }

    public IEnumerable<(string Name, Tensor Buffer)> Buffers => parts.Values.SelectMany(p => p).SelectMany(e => ((string, Tensor)[])[(e.Name, e.First), ($"square/{e.Name}", e.Second)]);

    public void Step(IReadOnlyList<NetworkPart> used, double learningRate, int number)
    {
        using IDisposable frozen = no_grad();
        using DisposeScope scope = NewDisposeScope();
        double first = 1 - Math.Pow(beta1, number);
        double second = Math.Sqrt(1 - Math.Pow(Beta2, number));
        foreach (Entry e in used.SelectMany(p => parts[p.Name]))
        {
            if (e.Parameter.grad is not { } gradient)
                continue;
            e.First.Scale(beta1).Add(gradient, 1 - beta1);
            e.Second.Scale(Beta2).Add(gradient * gradient, 1 - Beta2);
            Tensor direction = e.First / e.Second.sqrt().Times(1 / second).Plus(Epsilon);
            if (e.Decay > 0)
                e.Parameter.Scale(1 - (learningRate * e.Decay));
            e.Parameter.Add(direction, -learningRate / first);
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

        public Tensor First { get; } = zeros(parameter.shape, device: device).DetachFromDisposeScope();

        public Tensor Second { get; } = zeros(parameter.shape, device: device).DetachFromDisposeScope();

        public double Decay { get; } = parameter.shape.Length >= 2 ? weightDecay : 0;
    }
}

/// <summary>
/// The moving average of a network's weights and statistics, a := d a + (1 - d) w, with d risen from 0.1 in the first steps: min(d, (1 + t) / (10 + t)).
/// </summary>
public sealed class WeightAverage : IDisposable
{
    private readonly double decay;
    private readonly (string Name, Tensor Source, Tensor Average)[] all;

    private WeightAverage(ChainNetwork network, double decay)
    {
        this.decay = decay;
        using IDisposable frozen = no_grad();
        all = [.. network.Parts.SelectMany(p => p.Parameters.Select(x => (x.Name, (Tensor)x.Parameter)).Concat(p.Buffers)).Select(x => (x.Item1, x.Item2, x.Item2.detach().clone().DetachFromDisposeScope()))];
    }

    /// <summary>None where the decay is 0.</summary>
    public static WeightAverage? Of(ChainNetwork network, double decay) => decay > 0 ? new(network, decay) : null;

    /// <summary>What must be stored to go on, by name.</summary>
    public IEnumerable<(string Name, Tensor Buffer)> Buffers => all.Select(a => (a.Name, a.Average));

    /// <summary>After a step; steps are counted from 1.</summary>
    public void Update(int number)
    {
        using IDisposable frozen = no_grad();
        double d = Math.Min(decay, (1.0 + number) / (10 + number));
        foreach ((_, Tensor source, Tensor average) in all)
            average.Scale(d).Add(source, 1 - d);
    }

    /// <summary>The averages begin at the weights as they are.</summary>
    public void Begin()
    {
        using IDisposable frozen = no_grad();
        foreach ((_, Tensor source, Tensor average) in all)
            average.copy_(source);
    }

    /// <summary>Exchanges the network's weights and their averages; a second call takes it back.</summary>
    public void Swap()
    {
        using IDisposable frozen = no_grad();
        foreach ((_, Tensor source, Tensor average) in all)
        {
            using Tensor kept = source.clone();
            source.copy_(average);
            average.copy_(kept);
        }
    }

    /// <summary>Puts the averages into the network, for good.</summary>
    public void Apply()
    {
        using IDisposable frozen = no_grad();
        foreach ((_, Tensor source, Tensor average) in all)
            source.copy_(average);
    }

    public void Dispose()
    {
        foreach ((_, _, Tensor average) in all)
            average.Dispose();
    }
}
