using System.Collections.Concurrent;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.Simulation.Engines;

namespace DaNas.Drills;

/// <summary>
/// The searches that the simulation's seeds are drawn over: 150 to 300 units each, with one, two or four shards, every kind of evidence,
/// sure and scheduled pruning, and in some a poison block or training that diverges. What a search should end with is known from its run
/// without actors.
/// </summary>
internal sealed class SimulationSuite
{
    private static readonly string[] Common =
    [
        "data.drawn.classes=8", "weights.batch=16", "rounds.steps=4", "warmup.epochs=3", "stage.epochs=6", "difficulty.points=4",
            "difficulty.seeds=2", "retrain.epochs=4", "retrain.segment-steps=16",
        "retrain.batch=16", "controls.count=2",
    ];

    private static readonly string[][] Variants =
    [
        ["rounds.shards=1"],
        ["rounds.shards=2"],
        ["rounds.shards=4", "rounds.steps=1"],
        ["rounds.shards=2", "evidence.kind=validation", "prune.when=schedule"],
        ["rounds.shards=1", "evidence.kind=validation", "prune.when=schedule", "curriculum.order=random"],
        ["rounds.shards=2", "evidence.kind=probability", "prune.when=schedule"],
    ];

    private readonly ConcurrentDictionary<int, Lazy<(SimulatedSearch Search, CleanRun Clean)>> searches = new();

    public SimulationResult Run(long seed, SimulationOptions? options = null)
    {
        SeededRandom random = new(SeededRandom.Derive(seed, "variant"));
        int variant = random.NextInt(Variants.Length);
        int misfortune = random.NextDouble() < 0.55 ? 0 : 1 + random.NextInt(3);
        (SimulatedSearch search, CleanRun clean) = searches.GetOrAdd(
            (variant * 4) + misfortune, _ => new(() => Make(variant, misfortune))).Value;
        return SearchSimulation.Run(search, clean, seed, options);
    }

    internal static (SimulatedSearch Search, CleanRun Clean) Make(int variant, int misfortune)
    {
        SearchConfig config = ConfigLoader.Load("drawn-12", [.. Common, .. Variants[variant]], null);
        DatasetSummary data = new(
            "simulated", Digest.Of("simulated"), Enumerable.Range(0, 8).Select(c => $"c{c}").ToValueList(), Enumerable.Repeat(32, 8)
                .ToValueList(), Enumerable.Repeat(8, 8).ToValueList(), Enumerable.Repeat(8, 8).ToValueList());
        LandscapeEngine engine = new(new EngineContext(config, data));
        Func<WorkUnit, UnitOutcome?> fault = misfortune switch
        {
            1 => Poison,
            2 => Diverges,
            3 => u => Explodes(u, engine),
            _ => _ => null
        };
        SimulatedSearch search = new(config, data, u => fault(u) ?? new UnitOutcome.Completed(engine.Answer(u)));
        return (search, search.RunClean());
    }

    /// <summary>A block of the third layer that aborts whatever contains it.</summary>
    private static UnitOutcome? Poison(WorkUnit unit)
    {
        const int layer = 2;
        const string block = "k5e6";
        bool hit = unit switch
        {
            WorkUnit.TrainShard u => Has(u.Alive),
            WorkUnit.EvaluateBlocks u => Has(u.Alive),
            WorkUnit.ProbePath u => u.Path[layer] == block,
            _ => false,
        };
        return hit ? new UnitOutcome.Failed(FailureKind.NativeAbort, "aborted in native code (simulated)", 0) : null;

        static bool Has(AliveBlocks alive) => alive.Layers[layer].Contains(block);
    }

    /// <summary>The second round of the first pruning stage ends with a loss far over the limit until it was rolled back once.</summary>
    private static UnitOutcome.Completed? Explodes(WorkUnit unit, LandscapeEngine engine) =>
        unit is WorkUnit.TrainShard && unit.Id.StartsWith("s1/r1/", StringComparison.Ordinal)
        ? new UnitOutcome.Completed((UnitResult.ShardTrained)engine.Answer(unit) with { Loss = 1e6 })
        : null;

    /// <summary>The second round of the first pruning stage gives no number until it was rolled back once.</summary>
    private static UnitOutcome? Diverges(WorkUnit unit) => unit is WorkUnit.TrainShard
        && unit.Id.StartsWith("s1/r1/", StringComparison.Ordinal)
        ? new UnitOutcome.Failed(FailureKind.NotFinite, "the weight loss is not a finite number", 0)
        : null;
}
