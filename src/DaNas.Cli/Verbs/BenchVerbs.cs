using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Drills;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Torch;

namespace DaNas.Cli.Verbs;

/// <summary>Measurements that scripts/bench.sh puts side by side: a training step, the journal, the cost of orchestration.</summary>
internal static class BenchVerbs
{
    public static Command Bench() =>
        new("bench", "Runs benchmarks on this machine; 'scripts/bench.sh' compares the results with other software.") { Step(), Journal(),
        Overhead(), Scale(), Blobs(), StrategyBenchVerb.Strategies(), CalibrationVerbs.Calibration(), CalibrationVerbs.Names() };

    private static Command Step()
    {
        Option<int> threads = Shared.Option("--threads", 1, "Number of libtorch threads.");
        Option<string> layout = Shared.Option("--layout", "channels-last", "channels-last or default.");
        Option<double> seconds = Shared.Option<double>("--seconds", 5, "Duration of the measurement in seconds.");
        Option<string> device = Shared.Option("--device", "cpu", "cpu or cuda.");
        Command command = new("step", "Measures training steps of the cpu-base supernet on random images, batch size 64.") { threads,
            layout, seconds, device };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            TorchBinding.Prepare(parsed.GetValue(threads));
            SearchConfig config = ConfigLoader.Load("drawn-12", [], null);
            StepBenchmark result = StepBenchmark.Run(config.SpaceFor(10), 64, parsed.GetValue(layout) == "channels-last",
                parsed.GetValue(device)!, parsed.GetValue(seconds));
            Output.PrintJson("bench-step", new
            {
                imagesPerSecond = result.ImagesPerSecond,
                macsPerSecond = result.MacsPerSecond,
                torch = TorchBinding.Description
            });
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Scale()
    {
        Option<int> trainers = Shared.Option("--trainers", 1000, "Number of trainers.");
        Option<int> searches = Shared.Option("--searches", 50, "Number of concurrent searches.");
        Option<int> units = Shared.Option("--units", 100_000, "Total number of units.");
        Option<double> seconds = Shared.Option<double>("--unit-seconds", 60, "Duration of a unit in seconds of virtual time.");
        Option<bool> json = Shared.Json();
        Command command = new("scale", "Runs the real actors in virtual time and measures the cost of coordination for the given number " +
            "of trainers and searches.") { trainers, searches, units, seconds, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            ScaleResult r = new ScaleRun(new ScaleRequest(parsed.GetValue(trainers), parsed.GetValue(searches), parsed.GetValue(units),
                parsed.GetValue(seconds))).Run();
            if (parsed.GetValue(json))
                Output.PrintJson("bench-scale", r);
            else
                Output.PrintText(Invariant($"{r.Trainers:N0} trainers, {r.Searches} searches: {r.Units:N0} units and {r.Events:N0} " +
                    $"events in {r.VirtualSeconds:N0} virtual s ({r.UnitsPerSecond:0.0} units/s, {r.EventsPerSecond:0.0} events/s); CPU " +
                    $"{r.CpuSeconds:0.0} s ({r.CpuMillisecondsPerUnit:0.00} ms per unit, {r.Load:P1} of one core), {r.MemoryMegabytes:0} " +
                    $"MB; trainers busy {r.TrainersBusy:P0}"));
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Blobs()
    {
        Option<int[]> sizes = new("--megabytes")
        {
            DefaultValueFactory = _ => [20, 200],
            Description = "Sizes of the blobs, in MB.",
            AllowMultipleArgumentsPerToken = true
        };
        Option<int> passes = Shared.Option("--passes", 5, "Number of measurements of each; medians are reported.");
        Option<bool> json = Shared.Json();
        Command command =
            new("blobs", "Measures blob transfer between nodes over loopback, compared with cp and " +
                "nc (netcat-openbsd).") { sizes, passes, json };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<List<BlobRates>>("bench-blobs", Output.Json))
                return ExitCode.Done;
            string folder = Directory.CreateTempSubdirectory("danas-bench-").FullName;
            try
            {
                List<BlobRates> rates = [];
                foreach (int size in parsed.GetValue(sizes)!)
                {
                    await using BlobBench bench = new(folder);
                    rates.Add(await bench.RunAsync(size, parsed.GetValue(passes)));
                }

                if (parsed.GetValue(json))
                    Output.PrintJson("bench-blobs", rates);
                else
                    Output.PrintTable(["MB", "node to node", "cp", "nc", "SHA-256", "ratio to cp", "ratio to nc"], rates.Select(r => (
                        string[])[Invariant($"{r.Megabytes}"), Invariant($"{r.Fetch:0} MB/s"), Invariant($"{r.Copy:0} MB/s"),
                        Invariant($"{r.Netcat:0} MB/s"), Invariant($"{r.Hash:0} MB/s"), Invariant($"{r.FetchToCopy:0.00}"),
                        Invariant($"{r.FetchToNetcat:0.00}")]));
            }
            finally
            {
                Directory.Delete(folder, true);
            }

            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Journal()
    {
        Command command =
            new("journal", "Measures events per second of a persistent actor with SQLite: stored one by one, in batches of 100, " +
                "recovered, and read back in full.");
        command.SetAction((_, _) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<JournalRates>("bench-journal", Output.Json))
                return ExitCode.Done;
            string folder = Directory.CreateTempSubdirectory("danas-bench-").FullName;
            try
            {
                Output.PrintJson("bench-journal", await JournalBench.RunAsync(Path.Combine(folder, "journal.db")));
            }
            finally
            {
                Directory.Delete(folder, true);
            }

            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Overhead()
    {
        Option<int> units = Shared.Option("--units", 1000, "Approximate number of units.");
        Command command =
            new("overhead", "Measures orchestration overhead per unit in milliseconds, with real actors and journal and an engine that " +
                "responds immediately.") { units };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            string folder = Directory.CreateTempSubdirectory("danas-bench-").FullName;
            try
            {
                await OverheadBench.RunAsync(Directory.CreateDirectory(Path.Combine(folder, "warm-up")).FullName, 100);
                (int done, double seconds) = await OverheadBench.RunAsync(folder, parsed.GetValue(units));
                Output.PrintJson("bench-overhead", new { units = done, millisecondsPerUnit = seconds * 1000 / done });
            }
            finally
            {
                Directory.Delete(folder, true);
            }

            return ExitCode.Done;
        }));
        return command;
    }
}
