using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Simulation.Engines;

/// <summary>
/// A published table of all trained architectures of a space: positions of a number of options each. <em>Signal</em> is the accuracy that a
/// search may see,
/// <em>truth</em> the one by which its choice is judged; both are fractions. Of NAS-Bench-201 (Dong and Yang 2020) validation and test
/// accuracy of the 12-epoch runs; of NAS-Bench-Macro (Su et al. 2021), which has no validation split, the second of its three test
/// accuracies and the mean of all three.
/// </summary>
public sealed partial class ArchitectureTable
{
    private static readonly string[] MacroBlocks = ["skip", "k3e3", "k5e6"];
    private static readonly string[] CellOperations = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];

    private readonly string[] options;
    private readonly double[] signal;
    private readonly double[] truth;

    private ArchitectureTable(string name, string space, string[] options, int positions, Digest fingerprint)
    {
        Name = name;
        Space = space;
        this.options = options;
        Positions = positions;
        Fingerprint = fingerprint;
        signal = new double[(int)Math.Pow(options.Length, positions)];
        truth = new double[signal.Length];
        Array.Fill(signal, double.NaN);
    }

    /// <summary>The table's name, with its data set where it has several.</summary>
    public string Name { get; }

    /// <summary>The name of its search space, and of the search that the product ships for it.</summary>
    public string Space { get; }

    public int Positions { get; }

    public int Options => options.Length;

    /// <summary>The number of architectures; each has an index below it.</summary>
    public int Count => signal.Length;

    /// <summary>The file's SHA-256, with the data set.</summary>
    public Digest Fingerprint { get; }

    /// <summary>The largest truth.</summary>
    public double Best => truth.Max();

    /// <summary>What a search knows of a table: one class with one image, so that an epoch is one step.</summary>
    public DatasetSummary Summary => new(Name, Fingerprint, ["all"], [1], [1], [1]);

    public double Signal(int index) => signal[index];

    public double Truth(int index) => truth[index];

    /// <summary>One evaluation: the signal with Gaussian noise of a standard deviation, a fraction of accuracy.</summary>
    public double Evaluate(int index, double noise, SeededRandom random) => signal[index] + (noise * random.NextGaussian());

    /// <summary>The index of an architecture of the table's space.</summary>
    public int IndexOf(IReadOnlyList<string> blocks)
    {
        if (blocks.Count != Positions)
            throw new DataException($"{Name} has {Positions} positions, not {blocks.Count}");
        int index = 0;
        foreach (string block in blocks)
        {
            int option = Array.IndexOf(options, block);
            index = (index * options.Length) + (option >= 0 ? option : throw new DataException($"{Name} has no {block}"));
        }

        return index;
    }

    /// <summary>The index of the architecture with another option at a position.</summary>
    public int With(int index, int position, int option)
    {
        int place = (int)Math.Pow(options.Length, Positions - 1 - position);
        return index + ((option - OptionAt(index, position)) * place);
    }

    public int OptionAt(int index, int position) => index / (int)Math.Pow(options.Length, Positions - 1 - position) % options.Length;

    /// <summary>A made-up table of a space, for calibration; signal and truth by the option at each position.</summary>
    public static ArchitectureTable Made(SearchSpace space, Func<int[], double> signal, Func<int[], double> truth)
    {
        ArchitectureTable table = new(space.Name, space.Name, [.. space.Layers[0].Candidates.Select(c => c.Name)],
            space.Layers.Count, Digest.Of(space.Name));
        for (int i = 0; i < table.Count; i++)
        {
            int[] at = [.. Enumerable.Range(0, table.Positions).Select(p => table.OptionAt(i, p))];
            (table.signal[i], table.truth[i]) = (signal(at), truth(at));
        }

        return table;
    }

    /// <summary>Reads the table of a configuration and checks that it is of the configuration's space.</summary>
    public static ArchitectureTable Open(SearchConfig config)
    {
        ArchitectureTable table = Read(config.Engine.Table, config.Engine.Dataset);
        SearchSpace space = config.SpaceFor(1);
        bool fits = space.Layers.Count == table.Positions && space.Layers
            .All(l => l.Candidates.Select(c => c.Name).ToHashSet(StringComparer.Ordinal).SetEquals(table.options));
        return fits ? table : throw new DataException($"{config.Engine.Table}: the table has {table.Positions} positions of " +
            $"{string.Join(", ", table.options)}, which does not match {space.Name}; use the search configuration for this table, for " +
            $"example nas-bench-201 or nas-bench-macro");
    }

    /// <summary>Reads a table. Throws <see cref="DataException"/> with the file, the line and the remedy.</summary>
    public static ArchitectureTable Read(string file, TableDataset dataset)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{file}: the table cannot be read ({e.Message}); specify the file with --set engine.table=FILE " +
                $"(danas bench strategies: --table)", e);
        }

        try
        {
            string text = Text(bytes);
            ArchitectureTable table = text.AsSpan().TrimStart().StartsWith("{")
                ? ReadMacro(file, text, dataset, Digest.Of(bytes)) : ReadCells(file, text, dataset, Digest.Of(bytes));
            int missing = table.signal.Count(double.IsNaN);
            return missing == 0 ? table : throw new DataException(
                $"{file}: {missing} of {table.Count} architectures are missing; download the file again");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidDataException or KeyNotFoundException
            or InvalidOperationException)
        {
            throw new DataException($"{file}: unknown table format ({e.Message}); supported formats are NAS-Bench-Macro's JSON and " +
                $"NAS-Bench-201's CSV of accuracies", e);
        }
    }

    private static string Text(byte[] bytes)
    {
        bool zipped = bytes is [0x1f, 0x8b, ..];
        using Stream stream = zipped ? new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress) : new MemoryStream(bytes);
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    /// <summary>{ "02012100": { "test_acc": [a, b, c], ... }, ... } in per cent, a digit a layer.</summary>
    private static ArchitectureTable ReadMacro(string file, string text, TableDataset dataset, Digest digest)
    {
        if (dataset != TableDataset.Cifar10)
            throw new DataException($"{file}: NAS-Bench-Macro has CIFAR-10 only; set engine.dataset = cifar10");
        using JsonDocument json = JsonDocument.Parse(text);
        ArchitectureTable table = new("NAS-Bench-Macro", "nas-bench-macro", MacroBlocks, 8, digest);
        foreach (JsonProperty row in json.RootElement.EnumerateObject())
        {
            double[] runs = [.. row.Value.GetProperty("test_acc").EnumerateArray().Select(v => v.GetDouble() / 100)];
            if (row.Name.Length != table.Positions || row.Name.Any(c => c is < '0' or > '2'))
                throw new FormatException($"{row.Name} is no architecture");
            int index = table.IndexOf([.. row.Name.Select(c => MacroBlocks[c - '0'])]);
            if (runs.Length != 3)
                throw new FormatException($"{row.Name} has {runs.Length} test accuracies, not 3");
            // The best of the second run is not the best of the mean: 0.10 points apart.
            table.Set(index, row.Name, runs[1], runs.Average());
        }

        return table;
    }

    /// <summary>
    /// A header with arch_str and NAME_val_..., NAME_test_... in per cent; an architecture reads |op~0|+|op~0|op~1|+|op~0|op~1|op~2|.
    /// </summary>
    private static ArchitectureTable ReadCells(string file, string text, TableDataset dataset, Digest digest)
    {
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string name = ConfigSection.Kebab(dataset.ToString());
        string[] header = lines.Length > 0 ? lines[0].Split(',') : [];
        int architecture = Array.IndexOf(header, "arch_str");
        int validation = Array.FindIndex(header, h => h.StartsWith($"{name}_val", StringComparison.Ordinal));
        int test = Array.FindIndex(header, h => h.StartsWith($"{name}_test", StringComparison.Ordinal));
        if (architecture < 0 || validation < 0 || test < 0)
            throw new DataException($"{file}: the first line has no arch_str, {name}_val... and {name}_test...; it reads: " +
                $"{string.Join(',', header.Take(10))}");
        ArchitectureTable table = new($"NAS-Bench-201 (12 epochs) on {name}", "nas-bench-201", CellOperations, 6,
            Digest.Of($"{digest}/{name}"));
        for (int i = 1; i < lines.Length; i++)
        {
            string[] row = lines[i].Split(',');
            string[] blocks = row.Length == header.Length ? [.. Operation().Matches(row[architecture]).Select(m => m.Groups[1].Value)] : [];
            if (blocks.Length != table.Positions || blocks.Any(b => !CellOperations.Contains(b)))
                throw new DataException($"{file}, line {i + 1}: not an architecture of NAS-Bench-201 with its accuracies; " +
                    $"download the file again");
            table.Set(table.IndexOf(blocks), Line(i), Number(row[validation]), Number(row[test]));
        }

        return table;

        static string Line(int line) => Invariant($"line {line + 1}");
        double Number(string value) => double.Parse(value, CultureInfo.InvariantCulture) / 100;
    }

    private void Set(int index, string where, double seen, double judged)
    {
        if (!double.IsNaN(signal[index]))
            throw new FormatException($"{where} is there twice");
        if (!(seen is >= 0 and <= 1 && judged is >= 0 and <= 1))
            throw new FormatException($"{where} has an accuracy that is not from 0 to 100 per cent");
        signal[index] = seen;
        truth[index] = judged;
    }

    [GeneratedRegex(@"\|?([a-z0-9_]+)~\d")]
    private static partial Regex Operation();
}
