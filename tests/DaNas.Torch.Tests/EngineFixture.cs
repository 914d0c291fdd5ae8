using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Configuration;
using DaNas.Torch.Data;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace DaNas.Torch.Tests;

/// <summary>A tiny search on drawn images and an engine for it; one thread, blobs in a folder of its own.</summary>
public sealed class EngineFixture : IDisposable
{
    private static readonly string[] Tiny =
    [
        "data.drawn.classes=6", "data.drawn.train-per-class=20", "data.drawn.test-per-class=6", "space.resolution=12",
            "weights.batch=16", "architecture.batch=16",
        "rounds.steps=3", "difficulty.epochs-per-point=0", "difficulty.steps-per-point=3", "derivation.images=30",
            "derivation.recalibration-batches=2", "evidence.images=20", "evidence.paths-per-block=2",
        "evidence.recalibration-batches=1", "retrain.epochs=1", "retrain.segment-steps=4", "retrain.batch=16",
    ];

    public string Folder { get; } = Directory.CreateTempSubdirectory("danas-engine-").FullName;

    public EngineFixture(params string[] sets)
    {
        TorchBinding.Prepare(1);
        Config = ConfigLoader.Load("drawn-12", [.. Tiny, .. sets], null);
        Data = new DatasetCatalog().Describe(Config);
        Blobs = new FileBlobStore(Folder);
        Session = new EngineSession(new EngineContext(Config, Data), Blobs);
        Engine = new TorchEngine(Session);
    }

    public SearchConfig Config { get; }

    public DatasetSummary Data { get; }

    public FileBlobStore Blobs { get; }

    public EngineSession Session { get; }

    public TorchEngine Engine { get; }

    public AliveBlocks Alive => Session.Space.AllBlocks;

    /// <summary>A shard of the first pruning stage.</summary>
    public WorkUnit.TrainShard Shard(int shard = 0, BlobRef? input = null, int round = 0, bool warmup = false, AliveBlocks? alive = null)
    {
        StagePlan stage = new(1, warmup, [0, 1, 3, 5], 1, 4, 0, true);
        return new($"s1/r{round}/train/{shard}", SeededRandom.Derive(7, round, shard), stage, new RoundSchedule(round, 4, round, 2, 1),
            shard, input, alive ?? Alive);
    }

    public T Run<T>(WorkUnit unit)
        where T : UnitResult
    {
        UnitOutcome outcome = Engine.Run(unit, CancellationToken.None);
        return (outcome as UnitOutcome.Completed)?.Result as T ?? throw new InvalidOperationException($"{unit.Id}: {outcome}");
    }

    public void Dispose() => Directory.Delete(Folder, true);
}

/// <summary>
/// A test may name TorchSharp's types before any of the engine's: the engine's assembly must have seen to its libraries by then.
/// </summary>
internal static class TorchFirst
{
    [System.Runtime.CompilerServices.ModuleInitializer]
    internal static void Load() => System.Runtime.CompilerServices.RuntimeHelpers
        .RunModuleConstructor(typeof(TorchBinding).Module.ModuleHandle);
}
