using System.CommandLine;
using System.Diagnostics;
using DaNas.Actors.Logging;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Drills;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Simulation;
using DaNas.SimulationKit;

namespace DaNas.Cli.Verbs;

/// <summary>
/// simulate: the whole system in virtual time, to check its promises seed by seed, or to forecast a search under failures.
/// </summary>
internal static class SimulateVerb
{
    public static Command Simulate()
    {
        Argument<string?> conf = new("CONF")
        {
            Description = "Search to forecast under failures; without it, simulation seeds are checked.",
            Arity = ArgumentArity.ZeroOrOne
        };
        Option<long> seeds = Shared.Option<long>("--seeds", 1000, "Number of seeds to check.");
        Option<long> first = Shared.Option<long>("--first", 1, "The first seed.");
        Option<long?> replay = Shared.Option<long?>("--replay", "Runs one seed and prints every state change.");
        Option<string?> plant = Shared.Option<string?>("--plant", "Injects a known defect, which the checks must find.");
        Option<bool> shrink = Shared.Option<bool>("--shrink",
            "With --replay: finds the smallest set of faults with which the seed still fails.");
        Option<bool> listPlanted = Shared.Option<bool>("--list-planted", "Lists the defects that can be injected with --plant.");
        Command command =
            new("simulate", "Runs the real actors in a simulated cluster: checks the guarantees under faults, or forecasts a search.")
        {
            conf, seeds, first, replay, plant, shrink, listPlanted,
        };
        ForecastOptions forecast = new(command);
        command.SetAction(parsed => Shared.Guard(() =>
        {
            if (parsed.GetValue(listPlanted))
                return List();
            if (parsed.GetValue(conf) is { } file)
                return ForecastVerb.Run(file, forecast.Read(parsed), parsed.GetValue(forecast.Json));
            Plant planted = PlantOf(parsed.GetValue(plant));
            return parsed.GetValue(replay) is { } seed ? parsed.GetValue(shrink)
                ? Shrink(seed, planted) : Replay(seed, planted) : Check(parsed.GetValue(first), parsed.GetValue(seeds), planted);
        }));
        return command;
    }

    private static int List()
    {
        foreach (Plant plant in Enum.GetValues<Plant>().Where(p => p != Plant.None))
            Console.WriteLine(ConfigSection.Kebab(plant.ToString()));
        return ExitCode.Done;
    }

    private static Plant PlantOf(string? name)
    {
        if (name is null)
            return Plant.None;
        foreach (Plant plant in Enum.GetValues<Plant>())
        {
            if (ConfigSection.Kebab(plant.ToString()) == name)
                return plant;
        }

        throw new UsageException($"--plant {name}: 'danas simulate --list-planted' lists the available defects");
    }

    /// <summary>All seeds over all cores; each failure with its line to replay; one line at the end.</summary>
    private static int Check(long first, long count, Plant plant)
    {
        SimulationSuite suite = new();
        Stopwatch clock = Stopwatch.StartNew();
        Lock gate = new();
        (long done, long failed, long units, long faults, double days) = (0L, 0L, 0L, 0L, 0.0);
        string planted = plant == Plant.None ? string.Empty : $" --plant {ConfigSection.Kebab(plant.ToString())}";
        Parallel.For(first, first + count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, seed =>
        {
            SimulationResult result = suite.Run(seed, new SimulationOptions(plant));
            lock (gate)
            {
                done++;
                units += result.Units;
                faults += result.Faults;
                days += result.Virtual.TotalDays;
                if (done % 1000 == 0 && done < count)
                    Output.PrintText(Invariant($"{done} of {count} seeds, {failed} failed, {clock.Elapsed.TotalSeconds:0} s"));
                if (result.Good)
                    return;
                failed++;
                foreach (string violation in result.Violations)
                    Output.PrintText($"seed {seed}: {violation}");
                Output.PrintText($"seed {seed}: replay with 'danas simulate --replay {seed}{planted}'");
            }
        });
        Output.PrintText(Invariant($"{done} seeds, {failed} failed, {units} units, {faults} faults, {days:0.0} simulated days, " +
            $"{clock.Elapsed.TotalSeconds:0.0} s"));
        return failed == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static int Replay(long seed, Plant plant)
    {
        SimulationResult result = new SimulationSuite().Run(seed, new SimulationOptions(plant, new ConsoleLog()));
        foreach (string violation in result.Violations)
            Console.WriteLine(violation);
        Output.PrintText(Invariant($"seed {seed}: {(result.Good ? "passed" : "FAILED")}, {result.Units} units, {result.Events} events, " +
            $"{result.Faults} faults, {result.Messages} messages, {result.Virtual:d\\.hh\\:mm\\:ss} simulated, history " +
            $"{result.History:x16} of {result.Turns} turns"));
        return result.Good ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>The fewest faults that still make the seed fail, in whatever way.</summary>
    private static int Shrink(long seed, Plant plant)
    {
        SimulationSuite suite = new();
        SimulationResult whole = suite.Run(seed, new SimulationOptions(plant));
        if (whole.Good)
        {
            Output.PrintText(Invariant($"seed {seed}: passed; there is nothing to shrink"));
            return ExitCode.Done;
        }

        int runs = 0;
        IReadOnlyList<PlannedFault> left = Shrinking.Minimal(whole.Plan, faults =>
        {
            runs++;
            return !suite.Run(seed, new SimulationOptions(plant, Only: [.. faults.Select(f => f.Number)])).Good;
        });
        SimulationResult least = suite.Run(seed, new SimulationOptions(plant, Only: [.. left.Select(f => f.Number)]));
        Output.PrintText(
            Invariant($"seed {seed}: {left.Count} of {whole.Plan.Count} faults are needed to reproduce the failure ({runs} runs)"));
        foreach (PlannedFault fault in left)
            Output.PrintText($"  {fault}");
        foreach (string violation in least.Violations)
            Console.WriteLine(violation);
        return ExitCode.Failed;
    }

    private sealed class ConsoleLog : IStateLog
    {
        public void Write(string actor, DateTimeOffset at, StateChange change) => Console.WriteLine(Invariant(
            $"{at:HH:mm:ss.fff} {actor,-34} {change.Event} {change.From} -> {change.To} " +
                $"{change.Unit}{(change.Sequence is { } s ? $" #{s}" : string.Empty)} {change.Cause}"));
    }
}
