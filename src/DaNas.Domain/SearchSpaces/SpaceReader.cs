using System.Globalization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.SearchSpaces;

/// <summary>Reads the table of a space; every legal table is a space that can be built, run and counted.</summary>
internal static class SpaceReader
{
    public static SearchSpace Read(ConfigSection s, int classes)
    {
        string name = s.Text("name");
        if (name.Length == 0 || name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
            s.Refuse("name", name, "use lower-case letters, digits and '-'; the name is part of every architecture's text");
        if (s.Has("options"))
            return Options(s, name, classes);
        int channels = s.Int("input-channels", 1, 16);
        int resolution = s.Int("resolution", 4, 1024);
        ConfigSection stem = s.Section("stem");
        StemSpec stemSpec = new(stem.Int("channels", 1, 4096), stem.Int("kernel", 1, 15), stem.Int("stride", 1, 4));
        ConfigSection head = s.Section("head");
        HeadSpec headSpec = new(head.Int("channels", 0, 16384), head.OneOf<ClassifierCount>("classifier-count"));
        bool projectSkip = s.Flag("project-skip");
        ValueList<BlockSpec> shared = s.Has("candidates") ? Candidates(s) : [];
        ValueList<LayerSpec> layers = Layers(s, stemSpec, resolution, shared, projectSkip);
        return new SearchSpace(
            name, channels, resolution, classes, stemSpec, layers, headSpec, s.OneOf<Activation>("activation"),
                s.Flag("expand-always"), projectSkip);
    }

    /// <summary>A table space: so many positions with the same options each, and perhaps what they cost.</summary>
    private static SearchSpace Options(ConfigSection s, string name, int classes)
    {
        ValueList<string> options = s.Texts("options");
        foreach (string option in options)
        {
            if (option.Length == 0 || option.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
                s.Refuse("options", option, "use letters, digits, '-' and '_'; the name is part of every architecture's text");
            else if (options.Count(o => o == option) > 1)
                s.Refuse("options", option, "the option is listed twice");
        }

        int positions = s.Int("positions", 1, 200);
        ValueList<BlockSpec> candidates = options.Select(BlockSpec.Of).ToValueList();
        ValueList<ValueList<long>> macs = s.Has("macs") ? s.Sections("macs")
            .Select(p => options.Select(o => p.Long(o, 0, long.MaxValue / 400)).ToValueList()).ToValueList() : [];
        if (macs.Count > 0 && macs.Count != positions)
            s.Refuse("macs", macs.Count.ToString(CultureInfo.InvariantCulture),
                $"give one object {{ option = MACs, ... }} for each of the {positions} positions");
        return new SearchSpace(
            name, 0, 0, classes, new StemSpec(0, 0, 1), Enumerable.Range(0, positions).Select(l => new LayerSpec(l, 0, 0, 1, 0, candidates))
                .ToValueList(), new HeadSpec(0, ClassifierCount.MultiplyAdds), Activation.Relu, false, false)
        {
            Options = new(s.Has("fixed-macs") ? s.Long("fixed-macs", 0, long.MaxValue / 2) : 0, macs),
        };
    }

    private static ValueList<LayerSpec> Layers(ConfigSection s, StemSpec stem, int resolution,
        ValueList<BlockSpec> shared, bool projectSkip)
    {
        List<LayerSpec> layers = [];
        int channels = stem.Channels;
        int size = (resolution + stem.Stride - 1) / stem.Stride;
        foreach (ConfigSection row in s.Sections("layers"))
        {
            int width = row.Int("channels", 1, 16384);
            int repeat = row.Has("repeat") ? row.Int("repeat", 1, 100) : 1;
            int stride = row.Int("stride", 1, 4);
            ValueList<BlockSpec> own = row.Has("candidates") ? Candidates(row) : shared;
            if (own.Count == 0)
                row.Refuse("candidates", "(none)", "specify a list of candidate blocks for the layer or the space");
            for (int i = 0; i < repeat; i++)
            {
                LayerSpec layer = new(layers.Count, channels, width, i == 0 ? stride : 1, size, own);
                layers.Add(layer with { Candidates = Legal(row, layer, projectSkip) });
                channels = width;
                size = layer.OutResolution;
            }
        }

        if (layers.Count is 0 or > 200)
            s.Refuse("layers", layers.Count.ToString(CultureInfo.InvariantCulture), "a space has 1 to 200 layers");
        return layers.ToValueList();
    }

    /// <summary>A skip stands only where the shape is kept, or where the space projects; groups must divide the channels.</summary>
    private static ValueList<BlockSpec> Legal(ConfigSection row, LayerSpec layer, bool projectSkip)
    {
        ValueList<BlockSpec> legal = layer.Candidates.Where(b => !b.IsSkip || layer.KeepsShape || projectSkip).ToValueList();
        foreach (BlockSpec b in legal)
        {
            if (!b.IsSkip && (layer.InChannels % b.Groups != 0 || layer.OutChannels % b.Groups != 0))
                row.Refuse("candidates", b.Name, $"{b.Groups} groups do not divide {layer.InChannels} -> {layer.OutChannels} channels of " +
                    $"layer {layer.Index + 1}");
        }

        if (layer.Candidates.Count > 0 && legal.Count == 0)
            row.Refuse("candidates", "skip", $"layer {layer.Index + 1} changes the shape, so skip cannot be its only candidate; add an " +
                $"MBConv block, or set project-skip = true");
        return legal;
    }

    /// <summary>Either a list of block names, or a product { kernels, expansions, squeeze-excite, groups-at-one, swish, skip }.</summary>
    private static ValueList<BlockSpec> Candidates(ConfigSection s)
    {
        if (s.IsObject("candidates"))
            return Product(s.Section("candidates"));
        List<BlockSpec> blocks = [];
        foreach (string name in s.Texts("candidates"))
        {
            if (BlockSpec.Parse(name) is not { } block)
                s.Refuse("candidates", name, "block names have the form k3e6, k5e3se, k3e1g2, k3e6sesw or skip");
            else if (blocks.Contains(block))
                s.Refuse("candidates", name, "the block is listed twice");
            else
                blocks.Add(block);
        }

        return blocks.ToValueList();
    }

    private static ValueList<BlockSpec> Product(ConfigSection s)
    {
        ValueList<int> kernels = s.Ints("kernels", 1, 15);
        ValueList<int> expansions = s.Ints("expansions", 1, 32);
        ValueList<string> se = s.Texts("squeeze-excite");
        int groupsAtOne = s.Has("groups-at-one") ? s.Int("groups-at-one", 1, 64) : 1;
        bool swish = s.Has("swish") && s.Flag("swish");
        foreach (int k in kernels.Where(k => k % 2 == 0))
            s.Refuse("kernels", k.ToString(CultureInfo.InvariantCulture), "kernel sizes must be odd");
        List<BlockSpec> blocks = [];
        foreach (string flag in se)
        {
            if (flag is not ("true" or "false"))
                s.Refuse("squeeze-excite", flag, "write a list of true and false, such as [ false ] or [ false, true ]");
            foreach (bool sw in swish ? [false, true] : new[] { false })
                blocks.AddRange(from k in kernels from e in expansions select new BlockSpec(false, k, e, 1, flag == "true", sw));
        }

        if (groupsAtOne > 1)
            blocks.AddRange(kernels.Select(k => new BlockSpec(false, k, 1, groupsAtOne, false, false)));
        if (s.Has("skip") && s.Flag("skip"))
            blocks.Add(BlockSpec.Skip);
        return blocks.ToValueList();
    }
}
