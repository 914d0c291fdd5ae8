using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>
/// A chain of layers with named candidate blocks each. Input [N, InputChannels, Resolution, Resolution], output [N, Classes].
/// <paramref name="ExpandAlways"/>: blocks of expansion 1 keep their first 1x1 convolution (FBNet) or drop it (MobileNetV2).
/// <paramref name="ProjectSkip"/>: a skip that changes the shape is a 1x1 convolution with batch norm.
/// </summary>
public sealed record SearchSpace(
    string Name,
    int InputChannels,
    int Resolution,
    int Classes,
    StemSpec Stem,
    ValueList<LayerSpec> Layers,
    HeadSpec Head,
    Activation Activation,
    bool ExpandAlways,
    bool ProjectSkip)
{
    /// <summary>
    /// Set where the space is that of a table of trained architectures: positions and options without shapes. Its networks cannot be built.
    /// </summary>
    public OptionCosts? Options { get; init; }

    /// <summary>Number of architectures in the space; a double, since 6^17 and more are usual.</summary>
    public double Size => Layers.Aggregate(1.0, (n, l) => n * l.Candidates.Count);

    public int LastChannels => Head.Channels > 0 ? Head.Channels : Layers[^1].OutChannels;

    public int LastResolution => Layers[^1].OutResolution;

    /// <summary>All candidates of all layers, by name.</summary>
    public AliveBlocks AllBlocks => new(Layers.Select(l => l.Candidates.Select(c => c.Name).ToValueList()).ToValueList());

    /// <summary>The place of a candidate in its layer's list.</summary>
    public int IndexOf(int layer, string block) => Layers[layer].Candidates.TakeWhile(c => c.Name != block).Count();

    /// <summary>The same space with these candidates alone.</summary>
    public SearchSpace Only(AliveBlocks alive) => this with
    {
        Layers = Layers.Select((l, i) => l with { Candidates = l.Candidates.Where(c => alive.Layers[i].Contains(c.Name)).ToValueList() })
            .ToValueList(),
        Options = Options is { Macs.Count: > 0 } o
            ? o with
            {
                Macs = o.Macs.Select((macs, i) => macs.Where((_, b) => alive.Layers[i].Contains(Layers[i].Candidates[b].Name))
                .ToValueList()).ToValueList()
            }
            : Options,
    };

    /// <summary>Builds the space for a data set's classes, or adds problems to the section's list.</summary>
    public static SearchSpace From(ConfigSection section, int classes) => SpaceReader.Read(section, classes);
}
