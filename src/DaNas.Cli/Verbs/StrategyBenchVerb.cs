using System.CommandLine;
using System.Globalization;
using DaNas.Cli.Presentation;
using DaNas.Drills;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;

namespace DaNas.Cli.Verbs;

/// <summary>
/// bench strategies: what every strategy finds on tables of trained architectures, beside the searchers of the literature.
/// </summary>
internal static class StrategyBenchVerb
{
    public static Command Strategies()
    {
        Option<string[]> table = new("--table")
        {
            DefaultValueFactory = _ => ["nas-bench-macro", "nas-bench-201"],
            AllowMultipleArgumentsPerToken = true,
            Description =
            $"A table's name ({string.Join(", ", StrategyTables.Known.Keys)}; its file is looked up in the folder " +
                $"{StrategyTables.Folder}, or in the current folder if " +
                $"that is not set) or the path of its file."
        };
        Option<string> noise = Shared.Option("--noise", "0,0.05,0.1", "Standard deviations of one evaluation, as fractions of accuracy.");
        Option<string> evaluations = Shared.Option("--evaluations", "100,400,960,3840", "Evaluation budgets per search.");
        Option<int> seeds = Shared.Option("--seeds", 30, "Number of searches per strategy and setting.");
        Option<string?> to = Shared.Option<string?>("--to", "Also writes the curves as FILE.html.");
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Command command =
            new("strategies", "Measures the regret of every strategy on tables of trained architectures, compared with random search, " +
                "regularised evolution, local search and successive halving.") { table, noise, evaluations, seeds, set, to, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            if (JsonSchemas.Printed<List<StrategyRow>>("bench-strategies", Output.Json))
                return ExitCode.Done;
            double[] noises = Numbers("--noise", parsed.GetValue(noise)!, 0, 1);
            int[] counts = [.. Numbers("--evaluations", parsed.GetValue(evaluations)!, StrategyBench.Least, 1_000_000).Select(
                n => double.IsInteger(n) ? (int)n : throw new UsageException(Invariant($"--evaluations {n}: write whole numbers")))];
            int count = parsed.GetValue(seeds) is var s and >= 2 and <= 10_000
                ? s : throw new UsageException($"--seeds {parsed.GetValue(seeds)}: write a whole number from 2 to 10000");
            StrategyBench[] benches = [.. parsed.GetValue(table)!.Distinct()
                .Select(t => StrategyTables.Open(t, parsed.GetValue(set) ?? []))];
            foreach (StrategyBench bench in benches)
                bench.Check();
            List<StrategyRow> rows = StrategyTables.Run(benches, noises, counts, count);
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

    private static double[] Numbers(string option, string text, double least, double most)
    {
        double[] numbers = [.. text.Split(',', StringSplitOptions.TrimEntries)
            .Select(t => double.TryParse(t, CultureInfo.InvariantCulture, out double v) && v >= least && v <= most ? v : double.NaN)];
        return numbers.Any(double.IsNaN) || numbers.Distinct().Count() < numbers.Length ? throw new UsageException(
            Invariant($"{option} {text}: use distinct numbers from {least} to {most}, separated by commas")) : numbers;
    }

    private static void Print(List<StrategyRow> rows)
    {
        foreach (IGrouping<(string Table, double Noise), StrategyRow> group in rows.GroupBy(r => (r.Table, r.Noise)))
        {
            int[] counts = [.. group.Select(r => r.Evaluations).Distinct()];
            Output.PrintText(Invariant($"{group.Key.Table}, noise {group.Key.Noise}: mean regret in points [95 % interval], median"));
            Output.PrintTable(
                ["strategy", .. counts.Select(n => Invariant($"{n}"))],
                group.GroupBy(r => r.Strategy).Select(s => (IReadOnlyList<string>)[s.Key,
                    .. s.Select(r => Invariant($"{r.MeanRegret:0.00} [{r.Low:0.00}, {r.High:0.00}] {r.MedianRegret:0.00}"))]));
            Console.WriteLine();
        }
    }
}
