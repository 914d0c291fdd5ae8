using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Optimisers;

/// <summary>A parameter as an optimiser sees it.</summary>
/// <param name="Parameter">The parameter itself.</param>
/// <param name="Moments">Its moments by their names in a checkpoint, of the parameter's shape.</param>
/// <param name="Decay">Its weight decay; 0 for biases and batch norm.</param>
public sealed record Slot(Parameter Parameter, IReadOnlyList<(string Name, Tensor Buffer)> Moments, double Decay);
