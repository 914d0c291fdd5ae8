// Shapes: N images, C channels, H height, W width.
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>A way through a network and its MACs for one image.</summary>
public sealed record ForwardPass(Func<Tensor, Tensor> Run, long Macs);
