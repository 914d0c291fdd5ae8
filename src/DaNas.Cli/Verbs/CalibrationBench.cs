using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DaNas.Simulation;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Ports;
using DaNas.Tabular;

namespace DaNas.Cli.Verbs;

/// <summary>
/// Searches with one planted effect: how many pruned anything, how many pruned a block that is not under its layer's cut, the share of the blocks under it that were
/// pruned, the mean length of a stage in its scheduled ones, and how many said "better than random" though truth had nothing to do with what they saw.
/// </summary>
internal sealed record CalibrationRow(double Effect, int Searches, int PrunedAny, int PrunedWrong, double WorstPruned, double StageLength, int BetterThanRandom);

/// <summary>
/// bench calibration: whole searches on a made-up space of 6 positions with 6 options, of which the worst 2 of each position lose a planted effect, in standard deviations of
/// the score after the first stage's scheduled length (60 steps of 4 paths). Without an effect, everything that is pruned is an error, and so is a claim to be better than random.
/// </summary>
internal static class CalibrationBench
{
    private const int Positions = 6, Options = 6, Worst = 2;

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
            double deviation = Deviation(sets);
            List<CalibrationRow> rows = [];
            foreach (double effect in planted)
            {
                long started = Stopwatch.GetTimestamp();
                rows.Add(Run(effect, effect * deviation, count, sets));
                Console.Error.WriteLine(Output.Text($"effect {effect}: {count} searches in {Presenter.Duration(Stopwatch.GetElapsedTime(started).TotalSeconds)}; {planted.Length - rows.Count} effects left"));
            }

            if (parsed.GetValue(json))
                Output.PrintJson("bench-calibration", rows);
            else
                Print(rows);
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Print(List<CalibrationRow> rows) => Output.PrintTable(
        ["effect (sd)", "searches", "pruned any", "pruned a block not under the cut", "of the blocks under it pruned", "stage length", "\"better than random\" by noise"],
        rows.Select(r => (IReadOnlyList<string>)[Output.Text($"{r.Effect}"), Output.Text($"{r.Searches}"), Output.Text($"{r.PrunedAny}"), Output.Text($"{r.PrunedWrong}"), r.Effect > 0 ? Output.Text($"{r.WorstPruned:P1}") : "-", Output.Text($"{r.StageLength:0.0}"), r.Effect > 0 ? "-" : Output.Text($"{r.BetterThanRandom}")]));

    /// <summary>The standard deviation of a score after the first stage without signal: the root of the mean square over blocks and 50 searches.</summary>
    private static double Deviation(string[] sets)
    {
        double[] squares = [.. Enumerable.Range(1, 50).SelectMany(seed => Search(0, -seed, [.. sets, "prune.train-on=1"]).Events.OfType<SearchEvent.BlocksTested>().First().Tests.SelectMany(l => l).Select(t => t.Effect * t.Effect))];
        return Math.Sqrt(squares.Average());
    }

    private static CalibrationRow Run(double effect, double planted, int searches, string[] sets)
    {
        (bool Any, bool Wrong, double Found, double Length, bool Better)[] results = new (bool, bool, double, double, bool)[searches];
        Parallel.For(0, searches, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i => results[i] = Judge(planted, i + 1, sets));
        return new(effect, searches, results.Count(r => r.Any), results.Count(r => r.Wrong), results.Average(r => r.Found), results.Average(r => r.Length), results.Count(r => r.Better));
    }

    private static (bool Any, bool Wrong, double Found, double Length, bool Better) Judge(double planted, int seed, string[] sets)
    {
        (SearchState end, List<SearchEvent> events, HashSet<(int, string)> worst) = Search(planted, seed, sets);
        (int, string)[] pruned = [.. events.OfType<SearchEvent.BlocksPruned>().SelectMany(p => p.Removed).Select(r => (r.Layer, r.Block))];
        double length = events.OfType<SearchEvent.StageOpened>().Where(s => s.Plan.PrunesAtEnd).Average(s => (double)end.Stages.First(x => x.Plan.Index == s.Plan.Index).Plan.Rounds / s.Plan.Rounds);
        return (pruned.Length > 0, pruned.Any(p => planted == 0 || !worst.Contains(p)), pruned.Count(worst.Contains) / (double)worst.Count, length, SearchVerdict.Of(end) is { Chance: <= 0.05 });
    }

    private static (SearchState End, List<SearchEvent> Events, HashSet<(int Layer, string Block)> Worst) Search(double planted, int seed, string[] sets)
    {
        string[] names = [.. Enumerable.Range(0, Options).Select(o => $"o{o}")];
        SearchConfig config = ConfigLoader.Load(
            "nas-bench-201", ["space.name=calibration", Output.Text($"space.positions={Positions}"), $"space.options=[{string.Join(',', names)}]", "engine.table=made-up", Output.Text($"search.seed={seed}"), "engine.noise=0.05", .. sets], null);
        SearchSpace space = config.SpaceFor(1);
        SeededRandom random = new(SeededRandom.Derive(seed, "planted"));
        HashSet<int>[] worst = [.. Enumerable.Range(0, Positions).Select(_ => Shuffled(random).Take(Worst).ToHashSet())];
        ArchitectureTable table = ArchitectureTable.Made(space, at => 0.5 - (planted * at.Where((o, p) => worst[p].Contains(o)).Count()), _ => random.NextDouble());
        List<SearchEvent> events = [];
        TableEngine engine = new(new EngineContext(config, table.Summary), table, new MemoryBlobs());
        SearchState end = new SimulatedSearch(config, table.Summary, engine.Run).RunClean(null, (_, e) => events.Add(e)).State;
        return (end, events, [.. worst.SelectMany((w, p) => w.Select(o => (p, names[o])))]);
    }

    private static int[] Shuffled(SeededRandom random)
    {
        int[] all = [.. Enumerable.Range(0, Options)];
        random.Shuffle(all.AsSpan());
        return all;
    }
}
