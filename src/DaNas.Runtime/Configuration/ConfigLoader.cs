using System.Text;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration.Hocon;
using DaNas.Torch.Data;

namespace DaNas.Runtime.Configuration;

/// <summary>
/// Lays the layers over each other: the product's reference.conf (every key with its default), the user's file with what it includes,
/// then --data and --set. Environment variables come in where a file names them with ${?NAME}.
/// </summary>
internal static class ConfigLoader
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Keys that name files. What is stored names them from the root on, so that a search goes on from any folder.</summary>
    private static readonly (string Section, string Key)[] Paths = [("data", "path"), ("engine", "table")];

    /// <summary>The product's configuration folder: beside the executable, or DANAS_HOCON.</summary>
    public static string Home => Environment.GetEnvironmentVariable("DANAS_HOCON") ?? Path.Combine(AppContext.BaseDirectory, "hocon");

    /// <summary>Loads and checks; throws <see cref="UsageException"/> with one line a problem.</summary>
    public static SearchConfig Load(string file, IReadOnlyList<string> sets, string? data, bool isNew = true)
    {
        ConfigObject tree = Resolve(file, sets, data);
        (SearchConfig? config, ValueList<ConfigProblem> problems) = SearchConfig.Validate(tree);
        if (config is not null && isNew)
            problems = [.. problems, .. OfNew(config, tree)];
        return config is not null && problems.Count == 0 ? config
            : throw new UsageException(string.Join('\n', problems.Select(p => p.ToString())));
    }

    /// <summary>What is refused of new searches alone: stored ones of earlier versions may have it.</summary>
    private static IEnumerable<ConfigProblem> OfNew(SearchConfig config, ConfigObject tree)
    {
        if (config.Sampler is not { Kind: SamplerKind.GumbelHard, Gradient: PathGradient.Gate })
        {
            foreach (string key in SamplerOptions.GateKeys.Where(k => At(tree, "sampler", k) is not null))
                yield return Problem("sampler", key, "only sampler.gradient = gate (with gumbel-hard) has a temperature; remove the key");
        }

        if (!SearchNames.AreProper(config.Search.Name) || config.Search.Name.Length > SearchNames.LongestName)
            yield return Problem("search", "name", $"it is used as a folder name: use ASCII letters, digits, '-', '_' and '.', at most " +
                $"{SearchNames.LongestName} characters, not starting with '.'");
        if (config.Engine.Kind == EngineKind.Torch && config.SpaceFor(2).LastResolution == 1)
        {
            (string Section, int Batch)[] batches = [("weights", config.Weights.Batch), ("architecture", config.Architecture.Batch),
                ("retrain", config.Retrain.Batch)];
            foreach ((string section, _) in batches.Where(b => b.Batch == 1))
                yield return Problem(section, "batch", "the last feature map of this space is 1 x 1, and batch norm over one image has " +
                    "only one value per channel, so it cannot be trained; set 2 or more, or increase space.resolution");
        }

        ConfigProblem Problem(string section, string key, string remedy) =>
            At(tree, section, key) is { } node ? new(node.Origin, $"{section}.{key}", node.ToCanonicalText(), remedy)
                : throw new InvalidOperationException($"{section}.{key}");
    }

    private static ConfigNode? At(ConfigObject tree, string section, string key) =>
        (tree.Fields.GetValueOrDefault(section) as ConfigObject)?.Fields.GetValueOrDefault(key);

    /// <summary>The resolved tree with origins, not yet checked.</summary>
    public static ConfigObject Resolve(string file, IReadOnlyList<string> sets, string? data)
    {
        try
        {
            HoconNode.Map root = Parse(Path.Combine(Home, "reference.conf"), []);
            root.Overlay(Parse(Locate(file, "searches"), []));
            if (data is not null)
                root.Overlay(DataLayer(data));
            foreach (string set in sets)
                root.Overlay(SetLayer(set));
            return Rooted(HoconResolver.Resolve(root));
        }
        catch (HoconException e)
        {
            throw new UsageException(e.Message);
        }
    }

    /// <summary>A file by itself, without the product's defaults.</summary>
    public static ConfigObject ResolveAlone(string file) => Alone(file, []);

    /// <summary>What a user's file and --set ask for, without the product's defaults: the same in versions that know more keys.</summary>
    public static ConfigObject Own(string file, IReadOnlyList<string> sets) => Alone(Locate(file, "searches"), sets);

    /// <summary>
    /// A stored configuration, for a new search: with --set and --data laid over it, and this version's defaults under it.
    /// </summary>
    public static SearchConfig Anew(string canonical, IReadOnlyList<string> sets, string? data) => Over(canonical, sets, data, true);

    /// <summary>A stored text with this version's defaults for the keys that it does not know.</summary>
    public static string Completed(string canonical)
    {
        HoconNode.Map root = Parse(Path.Combine(Home, "reference.conf"), []);
        root.Overlay(Stored(canonical));
        return Rooted(HoconResolver.Resolve(root)).ToCanonicalText();
    }

    /// <summary>A stored configuration with --set and --data laid over it.</summary>
    public static SearchConfig Over(string canonical, IReadOnlyList<string> sets, string? data, bool defaults = false)
    {
        try
        {
            HoconNode.Map root = defaults ? Parse(Path.Combine(Home, "reference.conf"), [])
                : new HoconNode.Map(new ConfigOrigin("journal", 0));
            root.Overlay(defaults ? Stored(canonical) : HoconParser.Parse(canonical, "journal", (_, _) => null));
            if (data is not null)
                root.Overlay(DataLayer(data));
            foreach (string set in sets)
                root.Overlay(SetLayer(set));
            (SearchConfig? config, ValueList<ConfigProblem> problems) = SearchConfig.Validate(Rooted(HoconResolver.Resolve(root)));
            return config ?? throw new UsageException(string.Join('\n', problems.Select(p => p.ToString())));
        }
        catch (HoconException e)
        {
            throw new UsageException(e.Message);
        }
    }

    /// <summary>A stored text, to be laid over this version's defaults. What its version did without a key stays as it was.</summary>
    private static HoconNode.Map Stored(string canonical)
    {
        HoconNode.Map stored = HoconParser.Parse(canonical, "journal", (_, _) => null);
        foreach ((string section, string key, string before) in (ReadOnlySpan<(string, string, string)>)[(
            "difficulty", "epochs-per-point", "0"), ("prune", "when", "schedule"), ("finals", "rungs", "0"), ("controls", "draw", "walk")])
        {
            if (stored.Fields.GetValueOrDefault(section) is not HoconNode.Map map || !map.Fields.ContainsKey(key))
                stored.Set([section, key], new HoconNode.Scalar(before, false, stored.Origin));
        }

        if (stored.Fields.GetValueOrDefault("data") is HoconNode.Map data && !data.Fields.ContainsKey("split-seed")
            && stored.Fields.GetValueOrDefault("search") is HoconNode.Map search && search.Fields.GetValueOrDefault("seed") is { } seed)
            stored.Set(["data", "split-seed"], seed);
        return stored;
    }

    private static ConfigObject Alone(string file, IReadOnlyList<string> sets)
    {
        try
        {
            HoconNode.Map root = Parse(file, []);
            foreach (string set in sets)
                root.Overlay(SetLayer(set));
            return HoconResolver.Resolve(root);
        }
        catch (HoconException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static ConfigObject Rooted(ConfigObject tree)
    {
        foreach ((string section, string key) in Paths)
        {
            if (tree.Fields.GetValueOrDefault(section) is ConfigObject s
                && s.Fields.GetValueOrDefault(key) is ConfigValue { Text.Length: > 0 } value)
                tree = With(tree, section, With(s, key, value with { Text = Path.GetFullPath(value.Text), Quoted = true }));
        }

        return tree;

        static ConfigObject With(ConfigObject of, string key, ConfigNode value) =>
            of with { Fields = new Dictionary<string, ConfigNode>(of.Fields, StringComparer.Ordinal) { [key] = value } };
    }

    private static HoconNode.Map SetLayer(string set)
    {
        int equals = set.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
            throw new UsageException($"--set {set}: use --set key=value, for example --set search.seed=7");
        return HoconParser.Parse(set, "--set", (_, _) => null);
    }

    /// <summary>--data names a folder or a catalogue; its kind is read off its content.</summary>
    private static HoconNode.Map DataLayer(string path)
    {
        string full = Path.GetFullPath(path);
        string kind = File.Exists(full) ? "catalogue"
            : IdxSource.IsIn(full) ? "idx"
            : File.Exists(Path.Combine(full, "data_batch_1.bin")) || File.Exists(Path.Combine(full, "train.bin")) ? "cifar-binary"
            : Directory.Exists(full) ? "image-folder"
            : throw new UsageException($"--data {path}: no such file or folder");
        ConfigOrigin origin = new("--data", 0);
        HoconNode.Map layer = new(origin);
        layer.Set(["data", "kind"], new HoconNode.Scalar(kind, false, origin));
        layer.Set(["data", "path"], new HoconNode.Scalar(full, true, origin));
        return layer;
    }

    /// <summary>A file as it is named, or one that the product ships in a folder of its configuration.</summary>
    public static string Locate(string file, string folder)
    {
        if (File.Exists(file))
            return file;
        string shipped = Path.Combine(Home, file.StartsWith("hocon/", StringComparison.Ordinal) ? file[6..] : file);
        string named = Path.Combine(Home, folder, file.EndsWith(".conf", StringComparison.Ordinal) ? file : file + ".conf");
        return File.Exists(shipped) ? shipped : File.Exists(named) ? named
            : throw new UsageException($"{file} does not exist; specify a .conf file, or one of: {string.Join(", ", Shipped(folder))}");
    }

    private static IEnumerable<string> Shipped(string kind)
    {
        string folder = Path.Combine(Home, kind);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.conf").Select(f => Path.GetFileNameWithoutExtension(f)!)
            .Order(StringComparer.Ordinal) : [];
    }

    private static HoconNode.Map Parse(string file, HashSet<string> open)
    {
        string full = Path.GetFullPath(file);
        if (!open.Add(full))
            throw new UsageException($"{file} includes itself");
        string text;
        try
        {
            text = File.ReadAllText(full, Strict);
        }
        catch (DecoderFallbackException e)
        {
            throw new UsageException($"{file} is not UTF-8 text (byte 0x{e.BytesUnknown?.FirstOrDefault():X2}); save it as UTF-8, for " +
                $"example with: iconv -f latin1 -t utf-8");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{file} cannot be read: {e.Message}");
        }

        HoconNode.Map map = HoconParser.Parse(text, Shown(file), (_, name) => Include(full, name, open));
        open.Remove(full);
        return map;
    }

    private static HoconNode.Map? Include(string from, string name, HashSet<string> open)
    {
        string[] candidates = [Path.Combine(Path.GetDirectoryName(from)!, name), Path.Combine(Home, name)];
        return candidates.FirstOrDefault(File.Exists) is { } found ? Parse(found, open) : null;
    }

    private static string Shown(string file)
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, file);
        return relative.StartsWith("..", StringComparison.Ordinal) ? file : relative;
    }
}
