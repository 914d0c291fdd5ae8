using System.Globalization;
using System.Text;
using System.Text.Json;
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;

namespace DaNas.Runtime.Configuration;

/// <summary>Latency tables as files that a configuration includes: cost.latency { include "FILE" }.</summary>
internal static class LatencyFiles
{
    /// <summary>Milliseconds of one block that nobody means.</summary>
    private const double Longest = 600_000;

    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true };

    /// <summary>Writes a table; layers as block names with their milliseconds. Returns what was changed on the way, or null.</summary>
    public static string? Write(string file, SearchSpace space, LatencySource source, double fixedMilliseconds,
        Func<LayerSpec, BlockSpec, double> of)
    {
        int clipped = 0;
        Dictionary<string, object> table = new()
        {
            ["space"] = space.Name,
            ["device"] = source.Device,
            ["source"] = source.Text,
            ["fixed-milliseconds"] = Math.Round(Sane(fixedMilliseconds, "what is not searched"), 6),
            ["layers"] = space.Layers.Select(l => l.Candidates.ToDictionary(
                b => b.Name, b => Math.Round(Sane(of(l, b), $"layer {l.Index + 1}, {b.Name}"), 6), StringComparer.Ordinal)).ToArray(),
        };
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        File.WriteAllText(file, JsonSerializer.Serialize(table, Options) + "\n", new UTF8Encoding(false));
        return clipped == 0
            ? null : Invariant($"{file}: {clipped} latencies below 0 (possible for differences between two measurements) are set to 0");

        double Sane(double milliseconds, string where)
        {
            clipped += milliseconds < 0 ? 1 : 0;
            return milliseconds is >= -Longest and <= Longest ? Math.Max(0, milliseconds) : throw new UsageException(
                Invariant($"{where}: {milliseconds} ms is not a valid latency (at most {Longest:N0} ms); measure again, " +
                    $"or correct the table"));
        }
    }

    /// <summary>
    /// Reads either published form; throws <see cref="UsageException"/> where the file is neither, or of another space. Returns what was
    /// changed on the way, or null.
    /// </summary>
    public static string? Import(string file, SearchSpace space, string device, string target)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.TryGetProperty("devices", out _)
                ? ImportHwNasBench(document.RootElement, space, device, target)
                : ImportProxylessNas(document.RootElement, space, target);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or IndexOutOfRangeException or FormatException)
        {
            throw new UsageException($"{file} is neither HW-NAS-Bench's block table nor ProxylessNAS's ({e.Message})");
        }
    }

    /// <summary>The per-block table of HW-NAS-Bench (Li et al. 2021): a base and a difference for each operation of each layer.</summary>
    private static string? ImportHwNasBench(JsonElement root, SearchSpace space, string device, string target)
    {
        JsonElement devices = root.GetProperty("devices");
        if (!devices.TryGetProperty(device, out JsonElement found))
            throw new UsageException($"--device {device}: the devices in the file are " +
                $"{string.Join(", ", devices.EnumerateObject().Select(d => d.Name))}");
        Dictionary<string, int> columns = new(StringComparer.Ordinal);
        foreach (JsonProperty operation in root.GetProperty("op_names").EnumerateObject())
        {
            string name = operation.Value.GetString()?.Replace("_", string.Empty, StringComparison.Ordinal)
                ?? throw new FormatException($"op_names.{operation.Name} has no name");
            int column = int.TryParse(operation.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number : throw new FormatException($"op_names.{operation.Name} is not a column number");
            if (!columns.TryAdd(name, column))
                throw new FormatException($"op_names contains {name} twice, as {columns[name]} and as {column}");
        }

        JsonElement delta = found.GetProperty("delta_ms");
        if (delta.GetArrayLength() != space.Layers.Count)
            throw new UsageException(
                Invariant($"the file has {delta.GetArrayLength()} layers, but {space.Name} has {space.Layers.Count}; use " +
                    $"--conf fbnet-cifar100"));
        return Write(target, space, new(device, "HW-NAS-Bench, FBNet on CIFAR-100"), found.GetProperty("base_ms").GetDouble(),
            (l, b) => columns.TryGetValue(b.Name, out int column)
            ? delta[l.Index][column].GetDouble()
            : throw new UsageException($"the file has no {b.Name}; it contains {string.Join(", ", columns.Keys)}"));
    }

    /// <summary>
    /// The table of a Pixel phone that came with ProxylessNAS: mean milliseconds by the shape of a block; an identity costs nothing.
    /// </summary>
    private static string? ImportProxylessNas(JsonElement root, SearchSpace space, string target)
    {
        double rest = root.EnumerateObject().Where(p => !p.Name.StartsWith("expanded_conv", StringComparison.Ordinal))
            .Sum(p => p.Value.GetProperty("mean").GetDouble());
        return Write(target, space, new("pixel1", "ProxylessNAS, mobile"), rest, (l, b) => b.IsSkip
            ? 0 : Named(Key(l, b)).GetProperty("mean").GetDouble());

        JsonElement Named(string key) => root.TryGetProperty(key, out JsonElement found)
            ? found : throw new UsageException($"the file has no {key}: it fits the space proxylessnas");
    }

    /// <summary>The name of a block in the table of ProxylessNAS.</summary>
    internal static string Key(LayerSpec l, BlockSpec b) => Invariant(
        $"expanded_conv-input:{l.InResolution}x{l.InResolution}x{l.InChannels}-output:{l.OutResolution}x{l.OutResolution}x{l.OutChannels}" +
            $"-expand:{b.Expansion}-kernel:{b.Kernel}-stride:{l.Stride}-idskip:{(l.KeepsShape ? 1 : 0)}");

    /// <summary>A space by the name of its file, or the space of a whole configuration.</summary>
    public static SearchSpace SpaceOf(string conf, int classes)
    {
        string shipped = Path.Combine(ConfigLoader.Home, "spaces", conf.EndsWith(".conf", StringComparison.Ordinal)
            ? Path.GetFileName(conf) : conf + ".conf");
        if (!File.Exists(shipped))
            return ConfigLoader.Load(conf, ["data.path=-"], null).SpaceFor(classes);
        List<ConfigProblem> problems = [];
        ConfigSection root = new(ConfigLoader.ResolveAlone(shipped), string.Empty, problems);
        SearchSpace space = SearchSpace.From(root.Section("space"), classes);
        return problems.Count == 0 ? space : throw new UsageException(string.Join('\n', problems.Select(p => p.ToString())));
    }
}

/// <summary>Whose latencies they are, and where they come from.</summary>
internal sealed record LatencySource(string Device, string Text);
