using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.Simulation.Engines;

namespace DaNas.Drills;

/// <summary>
/// Searches with one planted effect: how many pruned anything, how many pruned a block that is not under its layer's cut, the share of the
/// blocks under it that were pruned, the mean length of a stage in its scheduled ones, and how many said "better than random" though truth
/// had nothing to do with what they saw.
/// </summary>
internal sealed record CalibrationRow(double Effect, int Searches, int PrunedAny, int PrunedWrong, double WorstPruned,
    double StageLength, int BetterThanRandom);

/// <summary>
/// Whole searches on a made-up space of 6 positions with 6 options, of which the worst 2 of each position lose a planted effect, in
/// standard deviations of the score after the first stage's scheduled length (60 steps of 4 paths). Without an effect, everything that is
/// pruned is an error, and so is a claim to be better than random.
/// </summary>
internal static class CalibrationBench
{
    private const int Positions = 6, Options = 6, Worst = 2;

    /// <summary>One row an effect, measured as it is asked for.</summary>
    /// <param name="effects">Planted effects, in standard deviations of a score after the first stage.</param>
    /// <param name="searches">Searches of each.</param>
    /// <param name="sets">Keys of the configuration over the bench's own.</param>
    public static IEnumerable<CalibrationRow> Rows(IReadOnlyList<double> effects, int searches, string[] sets)
    {
        double deviation = Deviation(sets);
        return effects.Select(effect => Run(effect, effect * deviation, searches, sets));
    }

    /// <summary>
    /// The standard deviation of a score after the first stage without signal: the root of the mean square over blocks and 50 searches.
    /// </summary>
    private static double Deviation(string[] sets)
    {
        double[] squares = [.. Enumerable.Range(1, 50).SelectMany(seed => Search(0, -seed, [.. sets, "prune.train-on=1"]).Events
            .OfType<SearchEvent.BlocksTested>().First().Tests.SelectMany(l => l).Select(t => t.Effect * t.Effect))];
        return Math.Sqrt(squares.Average());
    }

    private static CalibrationRow Run(double effect, double planted, int searches, string[] sets)
    {
        (bool Any, bool Wrong, double Found, double Length, bool Better)[] results = new (bool, bool, double, double, bool)[searches];
        Parallel.For(0, searches, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            i => results[i] = Judge(planted, i + 1, sets));
        return new(effect, searches, results.Count(r => r.Any), results.Count(r => r.Wrong), results.Average(r => r.Found),
            results.Average(r => r.Length), results.Count(r => r.Better));
    }

    private static (bool Any, bool Wrong, double Found, double Length, bool Better) Judge(double planted, int seed, string[] sets)
    {
        (SearchState end, List<SearchEvent> events, HashSet<(int, string)> worst) = Search(planted, seed, sets);
        (int, string)[] pruned = [.. events.OfType<SearchEvent.BlocksPruned>().SelectMany(p => p.Removed).Select(r => (r.Layer, r.Block))];
        double length = events.OfType<SearchEvent.StageOpened>().Where(s => s.Plan.PrunesAtEnd)
            .Average(s => (double)end.Stages.First(x => x.Plan.Index == s.Plan.Index).Plan.Rounds / s.Plan.Rounds);
        return (pruned.Length > 0, pruned.Any(p => planted == 0 || !worst.Contains(p)), pruned.Count(worst.Contains) / (double)worst.Count,
            length, SearchVerdict.Of(end) is { Chance: <= 0.05 });
    }

    private static (SearchState End, List<SearchEvent> Events, HashSet<(int Layer, string Block)> Worst) Search(
        double planted, int seed, string[] sets)
    {
        string[] names = [.. Enumerable.Range(0, Options).Select(o => $"o{o}")];
        SearchConfig config = ConfigLoader.Load(
            "nas-bench-201", ["space.name=calibration", Invariant($"space.positions={Positions}"),
                $"space.options=[{string.Join(',', names)}]", "engine.table=made-up", Invariant($"search.seed={seed}"),
                "engine.noise=0.05", .. sets], null);
        SearchSpace space = config.SpaceFor(1);
        SeededRandom random = new(SeededRandom.Derive(seed, "planted"));
        HashSet<int>[] worst = [.. Enumerable.Range(0, Positions).Select(_ => Shuffled(random).Take(Worst).ToHashSet())];
        ArchitectureTable table = ArchitectureTable.Made(space, at => 0.5 - (planted * at.Where((o, p) => worst[p].Contains(o)).Count()),
            _ => random.NextDouble());
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
