using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>How one step changes one parameter.</summary>
public abstract record UpdateRule
{
    /// <summary>Prefixes of the moments' names in a checkpoint, one for each moment that the rule keeps.</summary>
    public abstract IReadOnlyList<string> Moments { get; }

    /// <summary>Changes the parameter and its moments in place.</summary>
    /// <param name="slot">The parameter with its moments.</param>
    /// <param name="gradient">Its gradient, of the same shape.</param>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="number">The step's number, from 1.</param>
    public abstract void Apply(Slot slot, Tensor gradient, double learningRate, int number);
}
