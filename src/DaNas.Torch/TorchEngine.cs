using System.Runtime.InteropServices;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Evidence;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using DaNas.Torch.Training;

namespace DaNas.Torch;

/// <summary>
/// The training engine on TorchSharp's names. Runs one unit at a time on the caller's thread; give it a process of its own, since a
/// native fault takes its process along.
/// </summary>
public sealed class TorchEngine(EngineSession session) : ITrainingEngine
{
    public Task<UnitOutcome> RunAsync(WorkUnit unit, CancellationToken cancellation) => Task.FromResult(Run(unit, cancellation));

    /// <summary>Runs a unit to its end; whatever goes wrong is an outcome.</summary>
    public UnitOutcome Run(WorkUnit unit, CancellationToken cancellation)
    {
        UnitMeter clock = new();
        try
        {
            return new UnitOutcome.Completed(Result(unit, cancellation));
        }
        catch (OperationCanceledException)
        {
            return Failed(FailureKind.Cancelled, "cancelled");
        }
        catch (NotFiniteException e)
        {
            return Failed(FailureKind.NotFinite, e.Message);
        }
        catch (BlobException e)
        {
            return e.Fault == BlobFault.Lost ? Failed(FailureKind.MissingBlob, e.Message) with { Blob = e.Blob }
                : Failed(FailureKind.StorageUnavailable, e.Message);
        }
        catch (DataException e)
        {
            return Failed(FailureKind.EngineError, e.Message);
        }
        catch (InvalidOperationException e)
        {
            return Failed(FailureKind.EngineError, e.Message);
        }
        catch (ExternalException e)
        {
            bool memory = e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
                || e.Message.Contains("DefaultCPUAllocator", StringComparison.Ordinal);
            return Failed(memory ? FailureKind.OutOfMemory : FailureKind.EngineError, e.Message);
        }

        UnitOutcome.Failed Failed(FailureKind kind, string cause) => new(kind, cause, clock.Timing.Seconds);
    }

    private UnitResult Result(WorkUnit unit, CancellationToken cancellation)
    {
        switch (unit)
        {
            case WorkUnit.TrainShard u:
                using (SupernetTrainer trainer = new(session, u))
                    return trainer.Run(cancellation);
            case WorkUnit.MergeRound u:
                return Merge(u);
            case WorkUnit.MeasureDifficulty u:
                return Difficulty(u, cancellation);
            case WorkUnit.TestBlocks u:
                return Test(u);
            case WorkUnit.EvaluateBlocks u:
                using (SupernetEvaluator evaluator = new(session, u.Alive, u.Input!))
                    return evaluator.Blocks(u);
            case WorkUnit.EvaluateArchitecture u:
                using (SupernetEvaluator evaluator = new(session, EngineSession.OnlyOf(u.Architecture.Blocks), u.Input!))
                    return evaluator.Architecture(u);
            case WorkUnit.RetrainSegment u:
                return Retrain(u, cancellation);
            case WorkUnit.ProbePath u:
                using (PathProber prober = new(session, u))
                    return prober.Run(cancellation);
            default:
                throw new DataException($"this engine knows no {unit.GetType().Name}");
        }
    }

    private UnitResult.RoundMerged Merge(WorkUnit.MergeRound u)
    {
        UnitMeter meter = new();
        byte[] start = u.Input is { } input ? session.Blobs.Get(input) : InitialState(u);
        BlobRef output = session.Blobs.Put(RoundMerge.Merge(start, [.. u.Shards.Select(session.Blobs.Get)]));
        return new(u.Id, meter.Cost, meter.Timing, output);
    }

    private UnitResult.BlocksTested Test(WorkUnit.TestBlocks u)
    {
        UnitMeter meter = new();
        ValueList<ValueList<BlockTest>> tests = BlockEffects.Of(
            SupernetState.PathLosses(session.Blobs.Get(u.Input!)), session.Space, u, session.Config.Prune.Removed);
        return new(u.Id, meter.Cost, meter.Timing, tests);
    }

    private byte[] InitialState(WorkUnit.MergeRound u)
    {
        using ChainNetwork network = session.Build(u.Alive, SupernetTrainer.InitialSeed(session.Config));
        using Optimiser optimiser = new(network, session.Device, 0, new Sgd(0));
        using WeightAverage? average = WeightAverage.Of(network, session.Config.Sampler.AverageDecay);
        (Dictionary<string, HostTensor> tensors, Dictionary<string, string> metadata) =
            SupernetState.Collect(network, optimiser, new ArchitectureParameters(u.Alive), null, average);
        return Safetensors.Write(tensors, metadata);
    }

    private UnitResult.DifficultyPoint Difficulty(WorkUnit.MeasureDifficulty u, CancellationToken cancellation)
    {
        DifficultyOptions o = session.Config.Difficulty;
        WeightOptions w = session.Config.Weights;
        int steps = o.Steps(session.Data, w.Batch);
        TrainingRecipe recipe = new(w.LearningRate, w.Momentum, w.WeightDecay, w.Batch, w.LabelSmoothing, o.Points * steps);
        using StandaloneTrainer trainer = new(session, StandaloneTrainer.ProxyPath(session.Space, o.Block), recipe, u.Seed, u.Input);
        ImageEntry[] all = ImageSet.Slice(session.Images.Splits.Weights, Enumerable.Range(0, session.Images.Classes), 1);
        BatchStream batches = new(session.Images, all, SeededRandom.Derive(u.Seed, "order"), session.Shape(w.Batch),
            session.Config.Data.Augment);
        trainer.Train(batches, u.Point * steps, (u.Point + 1) * steps, cancellation);
        ClassMeasurement m = trainer.Measure(session.Images.Splits.Validation);
        return new(u.Id, trainer.Meter.Cost, trainer.Meter.Timing, trainer.Save(), m.ClassAccuracy, m.ClassLoss);
    }

    private UnitResult.SegmentRetrained Retrain(WorkUnit.RetrainSegment u, CancellationToken cancellation)
    {
        RetrainOptions o = session.Config.Retrain;
        TrainingRecipe recipe = TrainingRecipe.Of(o, u.TotalSteps, u.Seed);
        using StandaloneTrainer trainer = new(session, u.Architecture.Blocks, recipe, u.Seed, u.Input);
        DatasetSplits splits = session.Images.Splits;
        ImageEntry[][] pool = u.OnValidation ? [.. splits.Weights]
            : [.. splits.Weights.Zip(splits.Validation, (a, b) => (ImageEntry[])[.. a, .. b])];
        ImageEntry[] all = ImageSet.Slice(pool, Enumerable.Range(0, session.Images.Classes), 1);
        BatchStream batches = new(session.Images, all, SeededRandom.Derive(u.Seed, "order"), session.Shape(o.Batch),
            session.Config.Data.Augment with { Rand = (o.RandAugmentOperations, o.RandAugmentMagnitude) });
        int from = u.Segment * o.SegmentSteps;
        InitialScores? initial = from == 0 && !Finals.IsFinal(u.Run) ? UntrainedNetwork.Measure(
            session, u.Architecture.Blocks, SeededRandom.Derive(u.Seed, "weights"), batches.At(0), trainer.Meter) : null;
        (double loss, double accuracy) = trainer.Train(batches, from, Math.Min(u.TotalSteps, from + o.SegmentSteps), cancellation);
        bool last = u.Segment + 1 == u.Segments;
        if (last)
            trainer.Finish();
        ClassMeasurement? test = last ? trainer.Measure(u.OnValidation ? splits.Validation : splits.Test) : null;
        BlobRef output = last ? session.Blobs.Put(Safetensors.Write(
            trainer.Weights, new Dictionary<string, string> { ["architecture"] = u.Architecture.Text })) : trainer.Save();
        return new(
            u.Id, trainer.Meter.Cost, trainer.Meter.Timing, output, Math.Round(loss, 6), Math.Round(accuracy, 6), test?.Accuracy,
                test?.ClassAccuracy, last ? WeightsHash.Of(trainer.Weights) : null)
        {
            Initial = initial,
            Confusion = u.Run == RetrainPlan.Winner && session.Images.Classes <= UnitResult.MostConfusionClasses ? test?.Confusion : null,
        };
    }
}
