using DaNas.Domain.Architectures;

namespace DaNas.Domain.SearchSpaces;

/// <summary>
/// Cost of every block of a space in closed form. Checked against the 6,561 rows of NAS-Bench-Macro (Su et al. 2021) and the
/// operator table of BN-NAS (Chen et al. 2021).
/// </summary>
public sealed class CostTable
{
    private readonly Dictionary<string, Cost>[] blocks;

    private CostTable(Cost fixedPart, Dictionary<string, Cost>[] blocks)
    {
        Fixed = fixedPart;
        this.blocks = blocks;
    }

    /// <summary>Stem, head and classifier.</summary>
    public Cost Fixed { get; }

    public static CostTable Of(SearchSpace space) => space.Options is { } options ? OfOptions(space, options) : new(
        StemAndHead(space),
        [.. space.Layers.Select(l => l.Candidates.ToDictionary(b => b.Name, b => OfBlock(space, l, b), StringComparer.Ordinal))]);

    public Cost Of(int layer, string block) => blocks[layer][block];

    public Cost Of(Architecture architecture) =>
        architecture.Blocks.Select((b, l) => blocks[l][b]).Aggregate(Fixed, Cost.Add);

    /// <summary>MACs of one image through all alive blocks (the soft sampler's cost).</summary>
    public long MacsOfAll(AliveBlocks alive) => Fixed.Macs + alive.Layers.Select((l, i) => l.Sum(b => blocks[i][b].Macs)).Sum();

    /// <summary>Mean MACs of a path drawn uniformly from the alive blocks.</summary>
    public double MeanMacs(AliveBlocks alive) => Fixed.Macs + alive.Layers.Select((l, i) => l.Average(b => blocks[i][b].Macs)).Sum();

    private static CostTable OfOptions(SearchSpace space, OptionCosts options) => new(
        new Cost(0, options.FixedMacs),
        [.. space.Layers.Select(l => l.Candidates.Select((b, i) => (b.Name, Cost: new Cost(0, options.Macs.Count == 0
            ? 0 : options.Macs[l.Index][i]))).ToDictionary(b => b.Name, b => b.Cost, StringComparer.Ordinal))]);

    private static Cost StemAndHead(SearchSpace s)
    {
        long stemSize = (s.Resolution + s.Stem.Stride - 1) / s.Stem.Stride;
        Cost stem = Conv(s.InputChannels, s.Stem.Channels, s.Stem.Kernel, 1, stemSize);
        Cost head = s.Head.Channels > 0 ? Conv(s.Layers[^1].OutChannels, s.Head.Channels, 1, 1, s.LastResolution) : default;
        long c = s.LastChannels;
        long macs = s.Head.Count == ClassifierCount.MultiplyAdds ? c * s.Classes : ((2 * c) - 1) * s.Classes;
        return stem + head + new Cost((c * s.Classes) + s.Classes, macs);
    }

    private static Cost OfBlock(SearchSpace space, LayerSpec l, BlockSpec b)
    {
        if (b.IsSkip)
            return l.KeepsShape ? default : Conv(l.InChannels, l.OutChannels, 1, 1, l.OutResolution);
        int hidden = l.InChannels * b.Expansion;
        Cost expand = b.Expansion > 1 || space.ExpandAlways ? Conv(l.InChannels, hidden, 1, b.Groups, l.InResolution) : default;
        Cost depthwise = Conv(hidden, hidden, b.Kernel, hidden, l.OutResolution);
        Cost project = Conv(hidden, l.OutChannels, 1, b.Groups, l.OutResolution);
        return expand + depthwise + (b.SqueezeExcite ? SqueezeExcite(hidden) : default) + project;
    }

    /// <summary>Convolution without bias, then batch norm; <paramref name="outSize"/> is the output's height and width.</summary>
    private static Cost Conv(long input, long output, long kernel, long groups, long outSize)
    {
        long weights = input / groups * output * kernel * kernel;
        return new Cost(weights + (2 * output), weights * outSize * outSize);
    }

    private static Cost SqueezeExcite(long hidden)
    {
        long squeeze = SqueezeChannels((int)hidden);
        return new Cost((2 * hidden * squeeze) + squeeze + hidden, 2 * hidden * squeeze);
    }

    /// <summary>Channels between the two linear layers of squeeze-excite: a quarter of the hidden ones, at least 4.</summary>
    public static int SqueezeChannels(int hidden) => Math.Max(4, hidden / 4);
}
