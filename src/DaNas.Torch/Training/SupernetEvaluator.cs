// Shapes: N pictures, C channels, H height, W width.
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>Measures paths of a trained supernet on held-out pictures, after recalibrating their batch-norm statistics.</summary>
public sealed class SupernetEvaluator : IDisposable
{
    private readonly EngineSession session;
    private readonly ChainNetwork network;
    private readonly UnitMeter meter = new();

    /// <summary>Loads the supernet; <paramref name="alive"/> may be a single path.</summary>
    public SupernetEvaluator(EngineSession session, AliveBlocks alive, BlobRef input)
    {
        this.session = session;
        network = session.Build(alive, null);
        SupernetState.Restore(session.Blobs.Get(input), network, null, null);
    }

    public UnitResult.ArchitectureEvaluated Architecture(WorkUnit.EvaluateArchitecture unit)
    {
        int classes = session.Images.Classes;
        ImageEntry[] held = Held(Enumerable.Range(0, classes), session.Config.Derivation.Images);
        ClassMeasurement m = Path(unit.Architecture.Blocks, Enumerable.Range(0, classes), held, session.Config.Derivation.RecalibrationBatches, unit.Seed);
        return new(unit.Id, meter.Cost, meter.Timing, m.Accuracy, m.Loss);
    }

    /// <summary>For each requested block, random alive paths through it.</summary>
    public UnitResult.BlocksEvaluated Blocks(WorkUnit.EvaluateBlocks unit)
    {
        Domain.Configuration.EvidenceOptions o = session.Config.Evidence;
        ImageEntry[] held = Held(unit.Classes, o.Images);
        List<ValueList<double>> answers = [];
        foreach (BlockRequest request in unit.Requests)
        {
            List<double> accuracies = [];
            for (int k = 0; k < o.PathsPerBlock; k++)
            {
                SeededRandom random = new(SeededRandom.Derive(unit.Seed, request.Layer, request.Block, k));
                string[] path = [.. unit.Alive.Layers.Select((l, i) => i == request.Layer ? request.Block : l[random.NextInt(l.Count)])];
                accuracies.Add(Path(path, unit.Classes, held, o.RecalibrationBatches, unit.Seed).Accuracy);
            }

            answers.Add(accuracies.ToValueList());
        }

        return new(unit.Id, meter.Cost, meter.Timing, answers.ToValueList());
    }

    public void Dispose() => network.Dispose();

    /// <summary>At most a number of validation pictures, the same share of each class.</summary>
    private ImageEntry[] Held(IEnumerable<int> classes, int images)
    {
        int[] wanted = [.. classes];
        double total = wanted.Sum(c => session.Images.Splits.Validation[c].Length);
        return ImageSet.Slice(session.Images.Splits.Validation, wanted, Math.Min(1, images / total));
    }

    private ClassMeasurement Path(IReadOnlyList<string> path, IEnumerable<int> classes, ImageEntry[] held, int recalibration, long seed)
    {
        Recalibrate(path, classes, recalibration, seed);
        return ClassMeasurement.Of(session, network, path, held, meter);
    }

    /// <summary>Running statistics become the mean over some training batches (cumulative average).</summary>
    private void Recalibrate(IReadOnlyList<string> path, IEnumerable<int> classes, int batches, long seed)
    {
        using IDisposable frozen = no_grad();
        BatchStream stream = new(
            session.Images, ImageSet.Slice(session.Images.Splits.Weights, classes, 1), SeededRandom.Derive(seed, "recalibration"), session.Shape(session.Config.Weights.Batch), null);
        network.Norm.UseBatchStatistics = true;
        for (int i = 0; i < batches; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            network.Norm.Momentum = 1.0 / (i + 1);
            HostBatch batch = stream.At(i);
            network.Forward(session.ToTensors(batch).X_NCHW, path);
            meter.Forward(batch.Labels.Length, session.MacsOf(path));
        }
    }
}
