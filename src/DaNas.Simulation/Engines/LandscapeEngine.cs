using System.Text.Json;
using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Simulation.Engines;

/// <summary>
/// Answers every unit at once from a seeded landscape: each block has a quality, an architecture's accuracy is the mean quality of its
/// blocks. A unit's blob is named by everything that the unit is, inputs included. For dry runs, overhead measurements and tests of
/// everything but training. Without a store, blobs are names without bytes.
/// </summary>
public sealed class LandscapeEngine(EngineContext context, IBlobStore? blobs = null) : ITrainingEngine
{
    private const double Sharpness = 3;

    private readonly SearchSpace space = context.Config.SpaceFor(context.Data.Classes.Count);

    public Task<UnitOutcome> RunAsync(WorkUnit unit, CancellationToken cancellation) =>
        Task.FromResult<UnitOutcome>(new UnitOutcome.Completed(Answer(unit)));

    /// <summary>The quality of a block in [0, 1), from the search's seed.</summary>
    public double Quality(int layer, string block) => new SeededRandom(
        SeededRandom.Derive(context.Config.Search.Seed, "landscape", layer, block)).NextDouble();

    /// <summary>Mean quality of the blocks.</summary>
    public double Accuracy(Architecture architecture) => architecture.Blocks.Select((b, l) => Quality(l, b)).Average();

    public UnitResult Answer(WorkUnit unit)
    {
        byte[] name = JsonSerializer.SerializeToUtf8Bytes(unit, unit.GetType(), DomainJson.Canonical);
        BlobRef output = blobs?.Put(name) ?? new(Digest.Of(name), 0);
        UnitCost cost = new(100, 100, 1000);
        Timing none = new(0);
        int classes = context.Data.Classes.Count;
        return unit switch
        {
            WorkUnit.MeasureDifficulty u => new UnitResult.DifficultyPoint(
                u.Id, cost, none, output, PerClass(classes, u.Point), PerClass(classes, u.Point)),
            WorkUnit.TrainShard u => new UnitResult.ShardTrained(u.Id, cost, none, output, 1, 0.5, 1, Probabilities(u)),
            WorkUnit.MergeRound u => new UnitResult.RoundMerged(u.Id, UnitCost.Zero, none, output),
            WorkUnit.EvaluateBlocks u => new UnitResult.BlocksEvaluated(
                u.Id, cost, none, u.Requests.Select(r => Samples(u, r)).ToValueList()),
            WorkUnit.TestBlocks u => new UnitResult.BlocksTested(
                u.Id, cost, none, u.Alive.Layers.Select((l, i) => l.Select(b => Test(u, i, b)).ToValueList()).ToValueList()),
            WorkUnit.ProbePath u => new UnitResult.PathPassed(u.Id, cost, none, 1),
            WorkUnit.EvaluateArchitecture u => new UnitResult.ArchitectureEvaluated(u.Id, cost, none, Accuracy(u.Architecture), 1),
            WorkUnit.RetrainSegment u => Segment(u, cost, output),
            _ => throw new DataException($"no answer to {unit.GetType().Name}"),
        };
    }

    private static ValueList<double> PerClass(int classes, int point) =>
        Enumerable.Range(0, classes).Select(c => Math.Round((point + 1.0) / (point + 2 + c), 6)).ToValueList();

    private ValueList<ValueList<double>> Probabilities(WorkUnit.TrainShard unit)
    {
        SeededRandom noise = new(unit.Seed);
        return unit.Alive.Layers.Select((blocks, layer) =>
        {
            double[] weights = [.. blocks.Select(b => Math.Exp((Sharpness * Quality(layer, b)) + (0.05 * noise.NextGaussian())))];
            return weights.Select(w => Math.Round(w / weights.Sum(), 9)).ToValueList();
        }).ToValueList();
    }

    private ValueList<double> Samples(WorkUnit.EvaluateBlocks unit, BlockRequest request)
    {
        SeededRandom noise = new(SeededRandom.Derive(unit.Seed, request.Layer, request.Block));
        return Enumerable.Range(0, context.Config.Evidence.PathsPerBlock)
            .Select(_ => Math.Round(Quality(request.Layer, request.Block) + (0.05 * noise.NextGaussian()), 6)).ToValueList();
    }

    /// <summary>Half of what a rule asks for is sure at once, the other half after one look more or never.</summary>
    private BlockTest Test(WorkUnit.TestBlocks u, int layer, string block)
    {
        int worse = u.Alive.Layers[layer].Count(b => Quality(layer, b) < Quality(layer, block));
        bool sure = worse < context.Config.Prune.Removed(u.Alive.Layers[layer].Count)
            && new SeededRandom(SeededRandom.Derive(u.Seed, layer, block)).NextDouble() < 0.5;
        return new(Math.Round(0.5 - Quality(layer, block), 9), 0.05, 100, sure ? 1e-6 : 0.5);
    }

    private UnitResult.SegmentRetrained Segment(WorkUnit.RetrainSegment u, UnitCost cost, BlobRef output)
    {
        bool last = u.Segment + 1 == u.Segments;
        double accuracy = Math.Round(Accuracy(u.Architecture), 6);
        return new(u.Id, cost, new Timing(0), output, 1, accuracy, last ? accuracy : null, last
            ? space.Layers.Select(_ => accuracy).ToValueList() : null, last ? Digest.Of(u.Architecture.Text) : null);
    }
}
