using DaNas.Domain.Architectures;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Torch.Checkpoints;

namespace DaNas.Reports.Export;

/// <summary>
/// A trained network to hand over: what it computes, its tensors by the names of its plan (<c>stem.weight</c>,
/// <c>L03-k5e6.expand.gamma</c>), its classes, and where it comes from. Input [N, InputChannels, Resolution, Resolution] as (v / 255 - 0.5)
/// / 0.25 of bytes v; output logits [N, Classes].
/// </summary>
public sealed record TrainedModel(SearchSpace Space, Architecture Architecture, ValueList<string> Classes,
    IReadOnlyDictionary<string, HostTensor> Tensors, IReadOnlyDictionary<string, string> Provenance)
{
    /// <summary>Bytes v become (v / 255 - Mean) / Deviation.</summary>
    public const double Mean = 0.5;

    /// <summary>See <see cref="Mean"/>.</summary>
    public const double Deviation = 0.25;

    public NetworkPlan Plan { get; } = NetworkPlan.Of(Space, Architecture);

    /// <summary>Reads a search's weights. Throws <see cref="DataException"/> where they are not those of the architecture.</summary>
    public static TrainedModel Read(byte[] weights, SearchSpace space, Architecture architecture, ValueList<string> classes,
        IReadOnlyDictionary<string, string> provenance)
    {
        Dictionary<string, HostTensor> tensors = Safetensors.Read(weights).Tensors
            .Where(t => t.Key.StartsWith("w/", StringComparison.Ordinal) || t.Key.StartsWith("b/", StringComparison.Ordinal))
            .ToDictionary(t => t.Key[2..], t => t.Value, StringComparer.Ordinal);
        TrainedModel model = new(space, architecture, classes, tensors, provenance);
        string[] needed = [.. model.Parts.SelectMany(p => NamesOf(p.Prefix, p.Step)), "classifier.weight", "classifier.bias"];
        string[] missing = [.. needed.Where(n => !tensors.ContainsKey(n))];
        return missing.Length == 0 ? model : throw new DataException(
            $"the weights are not those of {architecture.Text}: {string.Join(", ", missing.Take(3))} missing");
    }

    /// <summary>All steps with tensors, in the order in which they are computed, and the prefix of their names.</summary>
    public IEnumerable<(string Prefix, PlanStep Step)> Parts => [("stem", Plan.Stem), .. Plan.Blocks.SelectMany(b => b.Steps.Select(
        s => ($"{b.Name}.{s.Name}", s))), .. Plan.Head is { } head ? [("head", (PlanStep)head)] : Array.Empty<(string, PlanStep)>()];

    public HostTensor Tensor(string name) => Tensors[name];

    private static IEnumerable<string> NamesOf(string prefix, PlanStep step) =>
        (step is PlanStep.Conv ? ["weight", "gamma", "beta", "mean", "variance"]
            : (string[])["reduce", "reduce-bias", "expand", "expand-bias"]).Select(n => $"{prefix}.{n}");
}
