using System.CommandLine;
using System.Diagnostics;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Drills;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Simulation.Engines;
using DaNas.Torch;

namespace DaNas.Cli.Verbs;

/// <summary>Measurements that scripts/bench.sh puts side by side: a training step, the journal, the cost of orchestration.</summary>
internal static class BenchVerbs
{
    public static Command Bench() => new("bench", "Measures this machine; 'scripts/bench.sh' compares with peers.") { Step(), Journal(), Overhead(), Scale(), Blobs(), StrategyBenchVerb.Strategies(), CalibrationVerbs.Calibration(), CalibrationVerbs.Names() };

    private static Command Step()
    {
        Option<int> threads = new("--threads") { DefaultValueFactory = _ => 1, Description = "Threads of libtorch." };
        Option<string> layout = new("--layout") { DefaultValueFactory = _ => "channels-last", Description = "channels-last or default." };
        Option<double> seconds = new("--seconds") { DefaultValueFactory = _ => 5, Description = "How long to measure." };
        Option<string> device = new("--device") { DefaultValueFactory = _ => "cpu", Description = "cpu or cuda." };
        Command command = new("step", "Training steps of the cpu-base supernet on random pictures, batch 64.") { threads, layout, seconds, device };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            TorchBinding.Prepare(parsed.GetValue(threads));
            SearchConfig config = ConfigLoader.Load("drawn-12", [], null);
            StepBenchmark result = StepBenchmark.Run(config.SpaceFor(10), 64, parsed.GetValue(layout) == "channels-last", parsed.GetValue(device)!, parsed.GetValue(seconds));
            Output.PrintJson("bench-step", new { imagesPerSecond = result.ImagesPerSecond, macsPerSecond = result.MacsPerSecond, torch = TorchBinding.Description });
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Scale()
    {
        Option<int> trainers = new("--trainers") { DefaultValueFactory = _ => 1000, Description = "Trainers." };
        Option<int> searches = new("--searches") { DefaultValueFactory = _ => 50, Description = "Searches at once." };
        Option<int> units = new("--units") { DefaultValueFactory = _ => 100_000, Description = "Units in all." };
        Option<double> seconds = new("--unit-seconds") { DefaultValueFactory = _ => 60, Description = "What a unit takes, in virtual time." };
        Option<bool> json = Shared.Json();
        Command command = new("scale", "The real actors in virtual time: what a coordinator's work costs for so many trainers and searches.") { trainers, searches, units, seconds, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            ScaleResult r = new ScaleRun(new ScaleRequest(parsed.GetValue(trainers), parsed.GetValue(searches), parsed.GetValue(units), parsed.GetValue(seconds))).Run();
            if (parsed.GetValue(json))
                Output.PrintJson("bench-scale", r);
            else
                Output.PrintText(Output.Text($"{r.Trainers:N0} trainers, {r.Searches} searches: {r.Units:N0} units and {r.Events:N0} events in {r.VirtualSeconds:N0} virtual s ({r.UnitsPerSecond:0.0} units/s, {r.EventsPerSecond:0.0} events/s); CPU {r.CpuSeconds:0.0} s ({r.CpuMillisecondsPerUnit:0.00} ms a unit, {r.Load:P1} of one core), {r.MemoryMegabytes:0} MB; trainers busy {r.TrainersBusy:P0}"));
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Blobs()
    {
        Option<int[]> sizes = new("--megabytes") { DefaultValueFactory = _ => [20, 200], Description = "Sizes of the blobs, in MB.", AllowMultipleArgumentsPerToken = true };
        Option<int> passes = new("--passes") { DefaultValueFactory = _ => 5, Description = "How often each is measured; medians are told." };
        Option<bool> json = Shared.Json();
        Command command = new("blobs", "A blob from node to node over loopback, beside cp and nc (netcat-openbsd).") { sizes, passes, json };
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
                    Output.PrintTable(["MB", "node to node", "cp", "nc", "SHA-256", "to cp", "to nc"], rates.Select(r => (string[])[Output.Text($"{r.Megabytes}"), Output.Text($"{r.Fetch:0} MB/s"), Output.Text($"{r.Copy:0} MB/s"), Output.Text($"{r.Netcat:0} MB/s"), Output.Text($"{r.Hash:0} MB/s"), Output.Text($"{r.FetchToCopy:0.00}"), Output.Text($"{r.FetchToNetcat:0.00}")]));
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
        Command command = new("journal", "Events a second through a persistent actor into SQLite: one by one, in batches of 100, recovered; and read back whole.");
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
        Option<int> units = new("--units") { DefaultValueFactory = _ => 1000, Description = "About how many units." };
        Command command = new("overhead", "Milliseconds of orchestration a unit: real actors and journal, an engine that answers at once.") { units };
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
