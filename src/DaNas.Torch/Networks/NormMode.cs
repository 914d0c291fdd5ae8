// Shapes: N images, C channels in, O channels out, H height, W width, K kernel size.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>How batch norm works just now: with the batch's statistics or the running ones, and how fast the running ones move.</summary>
public sealed class NormMode
{
    public bool UseBatchStatistics { get; set; } = true;

    /// <summary>Whether batch norm is left out altogether, as synflow asks for.</summary>
    public bool Skipped { get; init; }

    /// <summary>0 leaves the running statistics as they are.</summary>
    public double Momentum { get; set; } = 0.1;
}
