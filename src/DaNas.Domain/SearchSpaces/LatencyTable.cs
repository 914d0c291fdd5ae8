using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>
/// Milliseconds of every block of a space on one device, and of what all architectures share: an architecture's predicted latency is their
/// sum (Cai et al. 2019, section 3.3). Measured by 'danas measure --table', or imported. Values may be differences from a base, so
/// negative.
/// </summary>
public sealed record LatencyTable(string Space, string Device, string Source, double FixedMilliseconds,
    ValueList<ValueList<KeyValuePair<string, double>>> Layers)
{
    /// <summary>The table of a configuration, <c>cost.latency</c>; null where there is none.</summary>
    internal static LatencyTable? Read(ConfigSection cost)
    {
        if (!cost.Has("latency"))
            return null;
        ConfigSection s = cost.Section("latency");
        if (!s.Keys.Any())
            return null;
        return new(
            s.Text("space"),
            s.Text("device"),
            s.Text("source"),
            s.Number("fixed-milliseconds", -1e6, 1e6),
            s.Sections("layers").Select(l => l.Keys.Order(StringComparer.Ordinal)
                .Select(k => KeyValuePair.Create(k, l.Number(k, -1e6, 1e6))).ToValueList()).ToValueList());
    }

    /// <summary>The first block that the table lacks of a space, in words; null where it has all.</summary>
    public string? Missing(SearchSpace space) => space.Name != Space ? $"the table is for {Space}"
        : space.Layers.Count != Layers.Count ? Invariant($"the table has {Layers.Count} layers, the space {space.Layers.Count}")
        : space.Layers.SelectMany(l => l.Candidates.Where(b => Layers[l.Index].All(p => p.Key != b.Name))
            .Select(b => Invariant($"the table has no {b.Name} in layer {l.Index + 1}"))).FirstOrDefault();

    public double Of(int layer, string block) => Layers[layer].First(p => p.Key == block).Value;

    public double Of(Architecture architecture) => FixedMilliseconds + architecture.Blocks.Select((b, l) => Of(l, b)).Sum();

    /// <summary>What the quickest architecture of the alive blocks takes.</summary>
    public double Least(AliveBlocks alive) => FixedMilliseconds + alive.Layers.Select((l, i) => l.Min(b => Of(i, b))).Sum();
}
