// Shapes: N images, C channels, H height, W width, A active classes.
using DaNas.Domain.Values;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>
/// One classifier for all classes with the inactive ones masked out: their logits are left out of softmax and loss, which is what
/// adding -1e9 to them gives, with gradient zero.
/// </summary>
public sealed class ActiveClasses : IDisposable
{
    private readonly Tensor? columns;
    private readonly Tensor? position;

    public ActiveClasses(ValueList<int> classes, int all, Device device)
    {
        if (classes.Count == all)
            return;
        long[] positions = new long[all];
        for (int i = 0; i < classes.Count; i++)
            positions[classes[i]] = i;
        columns = tensor(classes.Select(c => (long)c).ToArray(), device: device).DetachFromDisposeScope();
        position = tensor(positions, device: device).DetachFromDisposeScope();
    }

    /// <summary>Logits [N, K] and labels [N] to [N, A] and labels among the active classes.</summary>
    public (Tensor Logits_NA, Tensor Labels) Select(Tensor logits, Tensor labels) =>
        columns is null || position is null ? (logits, labels) : (logits.index_select(1, columns), position.index_select(0, labels));

    public void Dispose()
    {
        columns?.Dispose();
        position?.Dispose();
    }
}
