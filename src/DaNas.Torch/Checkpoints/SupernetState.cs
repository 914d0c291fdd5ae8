using System.Globalization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Checkpoints;

/// <summary>
/// A training state as bytes, everything or nothing: weights (w/), momentum (m/), batch-norm statistics (b/), moving averages (e/),
/// architecture parameters with their Adam moments (a/), the path losses so far (h/paths: step, loss, blocks), and the counters that a
/// merge needs (metadata).
/// </summary>
public static class SupernetState
{
    internal const string Paths = "h/paths";

    private const string AdamSteps = "adam-steps";

    /// <summary>
    /// Collects a state; architecture parameters, optimiser steps of each part and moving averages only where the training has them.
    /// </summary>
    public static (Dictionary<string, HostTensor> Tensors, Dictionary<string, string> Metadata) Collect(
        ChainNetwork network, Optimiser optimiser, ArchitectureParameters? architecture,
            IReadOnlyDictionary<string, int>? steps, WeightAverage? average)
    {
        Dictionary<string, HostTensor> tensors = Weights(network);
        foreach ((string name, Tensor buffer) in optimiser.Buffers)
            tensors[$"m/{name}"] = ToHost(buffer);
        foreach ((string name, Tensor buffer) in average?.Buffers ?? [])
            tensors[$"e/{name}"] = ToHost(buffer);
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        foreach ((string part, int count) in steps ?? new Dictionary<string, int>())
            metadata[$"steps/{part}"] = count.ToString(CultureInfo.InvariantCulture);
        if (architecture is not null)
        {
            metadata[AdamSteps] = architecture.Steps.ToString(CultureInfo.InvariantCulture);
            for (int l = 0; l < architecture.Alive.Layers.Count; l++)
            {
                for (int j = 0; j < architecture.Alive.Layers[l].Count; j++)
                {
                    (double alpha, double first, double second) = architecture[l, j];
                    tensors[$"a/{ChainNetwork.PartName(l, architecture.Alive.Layers[l][j])}"] = HostTensor.Of([alpha, first, second]);
                }
            }
        }

        return (tensors, metadata);
    }

    /// <summary>Parameters and batch-norm statistics only: the model itself.</summary>
    public static Dictionary<string, HostTensor> Weights(ChainNetwork network)
    {
        Dictionary<string, HostTensor> tensors = new(StringComparer.Ordinal);
        foreach (NetworkPart part in network.Parts)
        {
            foreach ((string name, Tensor parameter) in part.Parameters)
                tensors[$"w/{name}"] = ToHost(parameter);
            foreach ((string name, Tensor buffer) in part.Buffers)
                tensors[$"b/{name}"] = ToHost(buffer);
        }

        return tensors;
    }

    /// <summary>Copies a state into a network of the same or fewer blocks; blocks that the state has beyond them are left behind.</summary>
    public static void Restore(byte[] bytes, ChainNetwork network, Optimiser? optimiser, ArchitectureParameters? architecture,
        WeightAverage? average = null)
    {
        (Dictionary<string, HostTensor> tensors, Dictionary<string, string> metadata) = Safetensors.Read(bytes);
        using IDisposable frozen = no_grad();
        foreach (NetworkPart part in network.Parts)
        {
            foreach ((string name, Tensor parameter) in part.Parameters)
                FromHost(tensors, $"w/{name}", parameter);
            foreach ((string name, Tensor buffer) in part.Buffers)
                FromHost(tensors, $"b/{name}", buffer);
        }

        foreach ((string name, Tensor buffer) in optimiser?.Buffers ?? [])
            FromHost(tensors, $"m/{name}", buffer);
        average?.Begin(); // Where the state is of a training without them.
        foreach ((string name, Tensor buffer) in average?.Buffers.Where(b => tensors.ContainsKey($"e/{b.Name}")) ?? [])
            FromHost(tensors, $"e/{name}", buffer);
        if (architecture is null)
            return;
        architecture.Steps = int.Parse(metadata[AdamSteps], CultureInfo.InvariantCulture);
        for (int l = 0; l < architecture.Alive.Layers.Count; l++)
        {
            for (int j = 0; j < architecture.Alive.Layers[l].Count; j++)
            {
                Span<double> a = Named(tensors, $"a/{ChainNetwork.PartName(l, architecture.Alive.Layers[l][j])}").Doubles;
                architecture[l, j] = (a[0], a[1], a[2]);
            }
        }
    }

    /// <summary>The path losses that a state holds.</summary>
    public static IReadOnlyList<PathLoss> PathLosses(byte[] bytes) =>
        Safetensors.Read(bytes).Tensors.TryGetValue(Paths, out HostTensor? stored) ? PathLosses(stored) : [];

    internal static IReadOnlyList<PathLoss> PathLosses(HostTensor stored)
    {
        List<PathLoss> all = [];
        int width = (int)stored.Shape[1];
        for (int from = 0; from < stored.Doubles.Length; from += width)
            all.Add(PathLoss.FromRow(stored.Doubles.Slice(from, width)));
        return all;
    }

    internal static HostTensor ToHost(IReadOnlyList<PathLoss> pathLosses)
    {
        double[] values = [.. pathLosses.SelectMany(p => p.ToRow())];
        return HostTensor.Of(values) with { Shape = [pathLosses.Count, values.Length / Math.Max(1, pathLosses.Count)] };
    }

    private static HostTensor ToHost(Tensor tensor)
    {
        using Tensor plain = tensor.detach();
        using Tensor host = plain.cpu();
        return HostTensor.Of(host.data<float>().ToArray(), tensor.shape);
    }

    private static void FromHost(Dictionary<string, HostTensor> tensors, string name, Tensor target)
    {
        HostTensor stored = Named(tensors, name);
        if (!stored.Shape.AsSpan().SequenceEqual(target.shape))
            throw new DataException($"the checkpoint's {name} is [{string.Join(", ", stored.Shape)}], the network's " +
                $"[{string.Join(", ", target.shape)}]: it belongs to another search space");
        using Tensor host = tensor(stored.Floats.ToArray(), stored.Shape);
        target.copy_(host);
    }

    private static HostTensor Named(Dictionary<string, HostTensor> tensors, string name) =>
        tensors.TryGetValue(name, out HostTensor? stored) ? stored
            : throw new DataException($"the checkpoint has no {name}: it belongs to another search");
}
