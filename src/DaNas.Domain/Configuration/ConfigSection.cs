using System.Globalization;
using DaNas.Domain.Values;

namespace DaNas.Domain.Configuration;

/// <summary>
/// Reads one object of a configuration, key by key, and collects every problem instead of stopping at the first.
/// Keys that nobody asked for are problems too.
/// </summary>
public sealed class ConfigSection
{
    private static readonly Dictionary<string, double> DurationUnits = new(StringComparer.Ordinal)
    {
        ["ms"] = 0.001,
        ["s"] = 1,
        ["m"] = 60,
        ["min"] = 60,
        ["h"] = 3600,
        ["d"] = 86400,
    };

    private static readonly Dictionary<string, double> SizeUnits = new(StringComparer.Ordinal)
    {
        ["B"] = 1,
        ["kB"] = 1e3,
        ["MB"] = 1e6,
        ["GB"] = 1e9,
        ["KiB"] = 1024,
        ["MiB"] = 1 << 20,
        ["GiB"] = 1 << 30,
    };

    private readonly ConfigObject node;
    private readonly string path;
    private readonly List<ConfigProblem> problems;
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly List<ConfigSection> children = [];
    private readonly Dictionary<string, ConfigSection> sections = new(StringComparer.Ordinal);

    public ConfigSection(ConfigObject node, string path, List<ConfigProblem> problems)
    {
        this.node = node;
        this.path = path;
        this.problems = problems;
    }

    public ConfigOrigin Origin => node.Origin;

    public IEnumerable<string> Keys => node.Fields.Keys;

    public bool Has(string key)
    {
        asked.Add(key);
        return node.Fields.TryGetValue(key, out ConfigNode? n) && n is not ConfigValue { Text: "null", Quoted: false };
    }

    public bool IsObject(string key) => Get(key) is ConfigObject;

    public ConfigSection Section(string key)
    {
        if (sections.TryGetValue(key, out ConfigSection? known))
            return known;
        ConfigObject inner = Get(key) switch
        {
            ConfigObject o => o,
            null => new ConfigObject(new Dictionary<string, ConfigNode>(), node.Origin),
            { } other => Wrong(other, key, "write an object { ... } here"),
        };
        ConfigSection section = new(inner, Full(key), problems);
        children.Add(section);
        sections[key] = section;
        return section;

        ConfigObject Wrong(ConfigNode n, string k, string remedy)
        {
            Problem(n, k, Describe(n), remedy);
            return new ConfigObject(new Dictionary<string, ConfigNode>(), n.Origin);
        }
    }

    public ValueList<ConfigSection> Sections(string key)
    {
        if (Get(key) is not ConfigArray array)
        {
            Problem(node.Fields.GetValueOrDefault(key), key, "(missing)", "write a list [ { ... }, ... ] here");
            return [];
        }

        List<ConfigSection> result = [];
        foreach (ConfigNode item in array.Items)
        {
            if (item is ConfigObject o)
                result.Add(new ConfigSection(o, $"{Full(key)}[{result.Count}]", problems));
            else
                Problem(item, key, Describe(item), "every entry of this list must be an object { ... }");
        }

        children.AddRange(result);
        return result.ToValueList();
    }

    public string Text(string key) => Scalar(key, string.Empty, "a string", t => t);

    public string TextOr(string key, string fallback) => Has(key) ? Text(key) : fallback;

    public bool Flag(string key) => Scalar(key, false, "true or false",
        t => t switch { "true" or "on" or "yes" => true, "false" or "off" or "no" => false, _ => null });

    public int Int(string key, int min, int max) =>
        Scalar<int>(key, min, $"a whole number from {min} to {max}", t => int.TryParse(t, CultureInfo.InvariantCulture, out int v)
            && v >= min && v <= max ? v : null);

    public long Long(string key, long min, long max) =>
        Scalar<long>(key, min, $"a whole number from {min} to {max}", t => long.TryParse(t, CultureInfo.InvariantCulture, out long v)
            && v >= min && v <= max ? v : null);

    public double Number(string key, double min, double max) =>
        Scalar<double>(
            key,
            min,
            Invariant($"a number from {min} to {max}"),
            t => double.TryParse(t, CultureInfo.InvariantCulture, out double v) && v >= min && v <= max ? v : null);

    public double Seconds(string key, double min, double max) => Scalar<double>(
        key, min, Invariant($"a duration such as 500ms, 30s, 5m or 2h, from {min} s to {max} s"), t =>
            Quantity(t, DurationUnits, min, max));

    public long Bytes(string key, long min, long max) => Scalar<long>(
        key, min, $"a size such as 512MiB or 2GB, from {min} to {max} bytes", t => (long?)Quantity(t, SizeUnits, min, max));

    public TEnum OneOf<TEnum>(string key)
        where TEnum : struct, Enum
    {
        string[] names = [.. Enum.GetNames<TEnum>().Select(Kebab)];
        return Scalar<TEnum>(key, default, $"one of {string.Join(" | ", names)}", t => Array.IndexOf(names, t) is int i and >= 0
            ? Enum.GetValues<TEnum>()[i] : null);
    }

    public ValueList<double> Numbers(string key, double min, double max) => List(
        key, Invariant($"numbers from {min} to {max}"), t =>
            double.TryParse(t, CultureInfo.InvariantCulture, out double v) && v >= min && v <= max ? v : (double?)null);

    public ValueList<int> Ints(string key, int min, int max) => List(
        key, $"whole numbers from {min} to {max}", t => int.TryParse(t, CultureInfo.InvariantCulture, out int v) && v >= min
            && v <= max ? v : (int?)null);

    public ValueList<string> Texts(string key)
    {
        if (Get(key) is ConfigArray a && a.Items.All(i => i is ConfigValue))
            return a.Items.Cast<ConfigValue>().Select(v => v.Text).ToValueList();
        Problem(node.Fields.GetValueOrDefault(key), key, "(not a list of strings)", "write a list of strings [ a, b ] here");
        return [];
    }

    /// <summary>States a problem with a value that was read, in the words of whoever knows the rule.</summary>
    public void Refuse(string key, string value, string remedy) => Problem(node.Fields.GetValueOrDefault(key), key, value, remedy);

    /// <summary>Every key that nobody asked for is a problem, with the nearest known key as remedy.</summary>
    public void RefuseUnknownKeys()
    {
        foreach ((string key, ConfigNode value) in node.Fields)
        {
            if (asked.Contains(key))
                continue;
            string? near = asked.OrderBy(k => Distance(k, key)).FirstOrDefault(k => Distance(k, key) <= 3);
            problems.Add(new(value.Origin, Full(key), Describe(value), near is null
                ? $"unknown key; known here: {string.Join(", ", asked.Order(StringComparer.Ordinal))}"
                : $"unknown key; did you mean {Full(near)}?"));
        }

        foreach (ConfigSection child in children)
            child.RefuseUnknownKeys();
    }

    /// <summary>PascalCase to kebab-case: the form of a value in a configuration.</summary>
    public static string Kebab(string name) =>
        string.Concat(name.Select((c, i) => char.IsAsciiLetterUpper(c)
            ? (i > 0 ? "-" : string.Empty) + char.ToLowerInvariant(c) : c.ToString()));

    private ConfigNode? Get(string key)
    {
        asked.Add(key);
        return node.Fields.GetValueOrDefault(key);
    }

    private T Scalar<T>(string key, T fallback, string expected, Func<string, T?> parse)
        where T : struct
    {
        if (Get(key) is ConfigValue value && parse(value.Text) is { } result)
            return result;
        Problem(node.Fields.GetValueOrDefault(key), key, Describe(node.Fields.GetValueOrDefault(key)), $"write {expected}");
        return fallback;
    }

    private string Scalar(string key, string fallback, string expected, Func<string, string> parse)
    {
        if (Get(key) is ConfigValue value)
            return parse(value.Text);
        Problem(node.Fields.GetValueOrDefault(key), key, Describe(node.Fields.GetValueOrDefault(key)), $"write {expected}");
        return fallback;
    }

    private ValueList<T> List<T>(string key, string expected, Func<string, T?> parse)
        where T : struct
    {
        if (Get(key) is ConfigArray a && a.Items.Count > 0 && a.Items.All(i => i is ConfigValue v && parse(v.Text) is not null))
            return a.Items.Select(i => parse(((ConfigValue)i).Text)!.Value).ToValueList();
        Problem(node.Fields.GetValueOrDefault(key), key, Describe(node.Fields.GetValueOrDefault(key)), $"write a list of {expected}");
        return [];
    }

    private string Full(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private void Problem(ConfigNode? at, string key, string value, string remedy) =>
        problems.Add(new(at?.Origin ?? node.Origin, Full(key), value, remedy));

    private static double? Quantity(string text, Dictionary<string, double> units, double min, double max)
    {
        int split = text.TakeWhile(c => char.IsAsciiDigit(c) || c is '.' or '-').Count();
        string unit = text[split..].Trim();
        if (!double.TryParse(text[..split], CultureInfo.InvariantCulture, out double number)
            || (unit.Length > 0 && !units.ContainsKey(unit)))
            return null;
        double value = number * (unit.Length > 0 ? units[unit] : 1);
        return value >= min && value <= max ? value : null;
    }

    private static string Describe(ConfigNode? n) => n switch
    {
        null => "(missing)",
        ConfigValue v => v.Text,
        ConfigArray a => $"[{string.Join(", ", a.Items.Select(Describe))}]",
        _ => "{ ... }",
    };

    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }

        return row[^1];
    }
}
