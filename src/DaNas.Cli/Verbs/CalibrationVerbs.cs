using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DaNas.Cli.Presentation;
using DaNas.Domain.Estimates;
using DaNas.Drills;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;

namespace DaNas.Cli.Verbs;

/// <summary>bench calibration and bench names.</summary>
internal static class CalibrationVerbs
{
    public static Command Calibration()
    {
        Option<int> searches = Shared.Option("--searches", 1000, "Number of searches per effect.");
        Option<string> effects = Shared.Option("--effects", "0,1,2",
            "Planted effects in standard deviations of a score after the first stage.");
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Command command =
            new("calibration", "Measures error rates and detection rates of sure pruning and of the verdict, using searches on synthetic " +
                "tables with planted effects.") { searches, effects, set, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            int count = parsed.GetValue(searches) is var n and >= 1 and <= 1_000_000
                ? n : throw new UsageException($"--searches {parsed.GetValue(searches)}: write a whole number from 1 to 1000000");
            double[] planted = [.. parsed.GetValue(effects)!.Split(',').Select(
                t => double.TryParse(t, CultureInfo.InvariantCulture, out double v) && v is >= 0 and <= 100
                ? v : throw new UsageException($"--effects {parsed.GetValue(effects)}: use numbers from 0 to 100, separated by commas"))];
            string[] sets = parsed.GetValue(set) ?? [];
            List<CalibrationRow> rows = [];
            IEnumerable<CalibrationRow> measured = CalibrationBench.Rows(planted, count, sets);
            long started = Stopwatch.GetTimestamp();
            foreach (CalibrationRow row in measured)
            {
                rows.Add(row);
                Console.Error.WriteLine(Invariant($"effect {row.Effect}: {count} searches in " +
                    $"{Durations.Text(Stopwatch.GetElapsedTime(started).TotalSeconds)}; {planted.Length - rows.Count} effects left"));
                started = Stopwatch.GetTimestamp();
            }

            if (parsed.GetValue(json))
                Output.PrintJson("bench-calibration", rows);
            else
                Print(rows);
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Names()
    {
        Option<int> classes = Shared.Option("--classes", 1000, "Number of classes.");
        Option<int> each = Shared.Option("--each", 1281, "Training images per class; another 50 are for validation.");
        Option<bool> json = Shared.Json();
        Command command = new("names", "Creates a folder tree with the file names of ImageNet, including CMYK images, wrong file " +
            "extensions, GIF, HTML, hidden files and nested folders, and measures time and memory of 'danas data " +
            "check --headers' on it.") { classes, each, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            if (JsonSchemas.Printed<NamesResult>("bench-names", Output.Json))
                return ExitCode.Done; // Before the check that it starts says its own.
            string folder = Directory.CreateTempSubdirectory("danas-bench-").FullName;
            try
            {
                NamesResult result = NamesBench.Run(folder, parsed.GetValue(classes), parsed.GetValue(each));
                if (parsed.GetValue(json))
                    Output.PrintJson("bench-names", result);
                else
                    Output.PrintText(Invariant($"{result.Files:N0} files written in {result.WriteSeconds:0.0} s; checked in " +
                        $"{result.CheckSeconds:0.0} s, peak memory {result.PeakMegabytes:N0} MB: {result.Images:N0} of " +
                        $"{result.ImagesPlanted:N0} images, {result.Broken} of {result.BrokenPlanted} " +
                        $"broken\n{string.Join('\n', result.Remarks)}"));
                return result.IsRight ? ExitCode.Done : ExitCode.Failed;
            }
            finally
            {
                Directory.Delete(folder, true);
            }
        }));
        return command;
    }

    private static void Print(List<CalibrationRow> rows) => Output.PrintTable(
        ["effect (sd)", "searches", "pruned any", "pruned a block above the cut-off", "share of blocks below it pruned", "stage length",
            "\"better than random\" by chance"],
        rows.Select(r => (IReadOnlyList<string>)[Invariant($"{r.Effect}"), Invariant($"{r.Searches}"), Invariant($"{r.PrunedAny}"),
            Invariant($"{r.PrunedWrong}"), r.Effect > 0 ? Invariant($"{r.WorstPruned:P1}") : "-", Invariant($"{r.StageLength:0.0}"),
            r.Effect > 0 ? "-" : Invariant($"{r.BetterThanRandom}")]));
}
