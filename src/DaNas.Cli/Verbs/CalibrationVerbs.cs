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
        Option<int> searches = new("--searches") { DefaultValueFactory = _ => 1000, Description = "Searches of each effect." };
        Option<string> effects = new("--effects") { DefaultValueFactory = _ => "0,1,2", Description = "Planted effects in standard deviations of a score after the first stage." };
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Command command = new("calibration", "How often sure pruning and the verdict err, and what they find: searches on made-up tables with planted effects.") { searches, effects, set, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            int count = parsed.GetValue(searches) is var n and >= 1 and <= 1_000_000 ? n : throw new UsageException($"--searches {parsed.GetValue(searches)}: write a whole number from 1 to 1000000");
            double[] planted = [.. parsed.GetValue(effects)!.Split(',').Select(t => double.TryParse(t, CultureInfo.InvariantCulture, out double v) && v is >= 0 and <= 100 ? v : throw new UsageException($"--effects {parsed.GetValue(effects)}: write numbers from 0 to 100 with commas between"))];
            string[] sets = parsed.GetValue(set) ?? [];
            List<CalibrationRow> rows = [];
            IEnumerable<CalibrationRow> measured = CalibrationBench.Rows(planted, count, sets);
            long started = Stopwatch.GetTimestamp();
            foreach (CalibrationRow row in measured)
            {
                rows.Add(row);
                Console.Error.WriteLine(Output.Text($"effect {row.Effect}: {count} searches in {Durations.Text(Stopwatch.GetElapsedTime(started).TotalSeconds)}; {planted.Length - rows.Count} effects left"));
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
        Option<int> classes = new("--classes") { DefaultValueFactory = _ => 1000, Description = "Classes." };
        Option<int> each = new("--each") { DefaultValueFactory = _ => 1281, Description = "Training pictures a class; 50 more are for validation." };
        Option<bool> json = Shared.Json();
        Command command = new("names", "Writes a tree of ImageNet's names, with CMYK, wrong endings, GIF, HTML, hidden files and nested folders among them, and times 'danas data check --headers' on it, with its memory.") { classes, each, json };
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
                    Output.PrintText(Output.Text($"{result.Files:N0} files written in {result.WriteSeconds:0.0} s; checked in {result.CheckSeconds:0.0} s, {result.PeakMegabytes:N0} MB at most: {result.Pictures:N0} of {result.PicturesPlanted:N0} pictures, {result.Broken} of {result.BrokenPlanted} broken\n{string.Join('\n', result.Remarks)}"));
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
        ["effect (sd)", "searches", "pruned any", "pruned a block not under the cut", "of the blocks under it pruned", "stage length", "\"better than random\" by noise"],
        rows.Select(r => (IReadOnlyList<string>)[Output.Text($"{r.Effect}"), Output.Text($"{r.Searches}"), Output.Text($"{r.PrunedAny}"), Output.Text($"{r.PrunedWrong}"), r.Effect > 0 ? Output.Text($"{r.WorstPruned:P1}") : "-", Output.Text($"{r.StageLength:0.0}"), r.Effect > 0 ? "-" : Output.Text($"{r.BetterThanRandom}")]));
}
