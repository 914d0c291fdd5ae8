// Shapes: N images, C channels, H height, W width.
using DaNas.Domain.Architectures;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>Measures paths of a trained supernet on held-out images, after recalibrating their batch-norm statistics.</summary>
public sealed class SupernetEvaluator : IDisposable
{
    private readonly EngineSession session;
    private readonly ChainNetwork network;
    private readonly ArchitectureParameters architecture;
    private readonly UnitMeter meter = new();

    /// <summary>Loads the supernet; <paramref name="alive"/> may be a single path.</summary>
    public SupernetEvaluator(EngineSession session, AliveBlocks alive, BlobRef input)
    {
        this.session = session;
        network = session.Build(alive, null);
        architecture = new ArchitectureParameters(alive);
        SupernetState.Restore(session.Blobs.Get(input), network, null, architecture);
    }

    /// <summary>Held-out accuracy of one path over all classes, its batch norm recalibrated.</summary>
    public double AccuracyOf(IReadOnlyList<string> path, long seed) =>
        Pass(new ForwardPass(x => network.Forward(x, path), session.MacsOf(path)), AllClasses, session.Config.Derivation.Images,
            (session.Config.Derivation.RecalibrationBatches, seed)).Accuracy;

    /// <summary>The same of the whole supernet: every layer the sum of its blocks, weighted by their probabilities.</summary>
    public double MixedAccuracy(long seed)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[][] weights = [.. architecture.Alive.Layers.Select(
            (_, l) => architecture.Probabilities(l).Select(p => tensor([(float)p], [1], device: session.Device)).ToArray())];
        return Pass(new ForwardPass(x => network.ForwardMixed(x, weights), session.Costs.MacsOfAll(architecture.Alive)), AllClasses,
            session.Config.Derivation.Images, (session.Config.Derivation.RecalibrationBatches, seed)).Accuracy;
    }

    /// <summary>Mean accuracy of paths drawn from the probabilities.</summary>
    public double SampledAccuracy(int paths, long seed)
    {
        SeededRandom random = new(SeededRandom.Derive(seed, "paths"));
        return Enumerable.Range(0, paths).Select(_ => architecture.GumbelPath(random, 1).Path)
            .Select(p => AccuracyOf([.. p.Select((j, l) => architecture.Alive.Layers[l][j])], seed)).Average();
    }

    /// <summary>Probabilities of the alive blocks, [layer][block].</summary>
    public IReadOnlyList<double[]> Probabilities => [.. architecture.Alive.Layers.Select((_, l) => architecture.Probabilities(l))];

    /// <summary>Images that these accuracies stand on.</summary>
    public int HeldOutImages => Held(AllClasses, session.Config.Derivation.Images).Length;

    private IEnumerable<int> AllClasses => Enumerable.Range(0, session.Images.Classes);

    public UnitResult.ArchitectureEvaluated Architecture(WorkUnit.EvaluateArchitecture unit)
    {
        int classes = session.Images.Classes;
        ImageEntry[] held = Held(Enumerable.Range(0, classes), session.Config.Derivation.Images);
        ClassMeasurement m = Path(unit.Architecture.Blocks, Enumerable.Range(0, classes), held,
            session.Config.Derivation.RecalibrationBatches, unit.Seed);
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

    /// <summary>At most a number of validation images, the same share of each class.</summary>
    private ImageEntry[] Held(IEnumerable<int> classes, int images)
    {
        int[] wanted = [.. classes];
        double total = wanted.Sum(c => session.Images.Splits.Validation[c].Length);
        return ImageSet.Slice(session.Images.Splits.Validation, wanted, Math.Min(1, images / total));
    }

    private ClassMeasurement Path(IReadOnlyList<string> path, IEnumerable<int> classes, ImageEntry[] held, int recalibration, long seed) =>
        Measured(new ForwardPass(x => network.Forward(x, path), session.MacsOf(path)), classes, held, (recalibration, seed));

    private ClassMeasurement Pass(ForwardPass pass, IEnumerable<int> classes, int images, (int Batches, long Seed) recalibration) =>
        Measured(pass, classes, Held(classes, images), recalibration);

    private ClassMeasurement Measured(ForwardPass pass, IEnumerable<int> classes, ImageEntry[] held, (int Batches, long Seed) recalibration)
    {
        Recalibrate(pass, classes, recalibration.Batches, recalibration.Seed);
        return ClassMeasurement.Of(session, network, pass, held, meter);
    }

    /// <summary>Running statistics become the mean over some training batches (cumulative average).</summary>
    private void Recalibrate(ForwardPass pass, IEnumerable<int> classes, int batches, long seed)
    {
        using IDisposable frozen = no_grad();
        BatchStream stream = new(
            session.Images, ImageSet.Slice(session.Images.Splits.Weights, classes, 1), SeededRandom.Derive(seed, "recalibration"),
                session.Shape(session.Config.Weights.Batch), null);
        network.Norm.UseBatchStatistics = true;
        for (int i = 0; i < batches; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            network.Norm.Momentum = 1.0 / (i + 1);
            HostBatch batch = stream.At(i);
            pass.Run(session.ToTensors(batch).X_NCHW);
            meter.Forward(batch.Labels.Length, pass.Macs);
        }
    }
}
