// Shapes: N images, C channels, H height, W width, K classes.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>Tensors of one part of a network that are always used together: the stem, one block, the head.</summary>
public sealed class NetworkPart(string name, IReadOnlyList<(string Name, Parameter Parameter)> parameters,
    IReadOnlyList<(string Name, Tensor Buffer)> buffers)
{
    public string Name => name;

    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters => parameters;

    public IReadOnlyList<(string Name, Tensor Buffer)> Buffers => buffers;
}
