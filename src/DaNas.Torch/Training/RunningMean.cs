using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>Sums that stay on the device until they are read once.</summary>
public sealed class RunningMean : IDisposable
{
    private Tensor? sum;
    private long count;

    /// <summary>Adds a scalar; it outlives the scope that it was made in.</summary>
    public void Add(Tensor value, long weight)
    {
        using (no_grad())
        {
            Tensor part = value.detach().Times(weight).DetachFromDisposeScope();
            if (sum is null)
            {
                sum = part;
            }
            else
            {
                sum.Add(part, 1);
                part.Dispose();
            }
        }

        count += weight;
    }

    /// <summary>The mean; throws <see cref="NotFiniteException"/> where training has diverged.</summary>
    public double Read(string what)
    {
        double mean = sum is null ? 0 : sum.item<float>() / (double)count;
        return double.IsFinite(mean) ? mean : throw new NotFiniteException(what);
    }

    public void Dispose() => sum?.Dispose();
}
