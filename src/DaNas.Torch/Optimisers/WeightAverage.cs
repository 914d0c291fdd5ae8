using DaNas.Torch.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>
/// The moving average of a network's weights and statistics, a := d a + (1 - d) w, with d risen from 0.1 in the first steps: min(d, (1 + t)
/// / (10 + t)).
/// </summary>
public sealed class WeightAverage : IDisposable
{
    private readonly double decay;
    private readonly (string Name, Tensor Source, Tensor Average)[] all;

    private WeightAverage(ChainNetwork network, double decay)
    {
        this.decay = decay;
        using IDisposable frozen = no_grad();
        all = [.. network.Parts.SelectMany(p => p.Parameters.Select(x => (x.Name, (Tensor)x.Parameter)).Concat(p.Buffers))
            .Select(x => (x.Item1, x.Item2, x.Item2.detach().clone().DetachFromDisposeScope()))];
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
