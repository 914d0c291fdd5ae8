// Shapes: N images, C channels, H height, W width, A active classes.
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>
/// One shard of a round: weight steps on the weights split and, after warm-up, as many architecture steps on the validation split,
/// alternating. Everything random is derived from the unit; the state comes from the round's blob and goes into the shard's.
/// </summary>
public sealed class SupernetTrainer : IDisposable
{
    private readonly EngineSession session;
    private readonly WorkUnit.TrainShard unit;
    private readonly ChainNetwork network;
    private readonly Optimiser optimiser;
    private readonly WeightAverage? average;
    private readonly ArchitectureParameters architecture;
    private readonly ActiveClasses classes;
    private readonly SeededRandom random;
    private readonly UnitMeter meter = new();
    private readonly Dictionary<string, int> steps = new(StringComparer.Ordinal);
    private readonly RunningMean loss = new();
    private readonly RunningMean accuracy = new();
    private readonly RunningMean architectureLoss = new();

    public SupernetTrainer(EngineSession session, WorkUnit.TrainShard unit)
    {
        this.session = session;
        this.unit = unit;
        network = session.Build(unit.Alive, unit.Input is null ? InitialSeed(session.Config) : null);
        optimiser = new Optimiser(network, session.Device, session.Config.Weights.WeightDecay, new Sgd(session.Config.Weights.Momentum));
        average = WeightAverage.Of(network, session.Config.Sampler.AverageDecay);
        architecture = new ArchitectureParameters(unit.Alive);
        if (unit.Input is { } input)
            SupernetState.Restore(session.Blobs.Get(input), network, optimiser, architecture, average);
        if (unit.Schedule.StageRound == 0)
            architecture.ResetAdam();
        classes = new ActiveClasses(unit.Stage.Classes, session.Images.Classes, session.Device);
        random = new SeededRandom(unit.Seed);
    }

    private bool LearnsArchitecture => !unit.Stage.IsWarmup && session.Config.Sampler.Kind != SamplerKind.Uniform
        && session.Config.Search.Strategy == StrategyKind.DaNas;

    /// <summary>The seed of the first weights: the same for every shard, so that all start equal.</summary>
    public static long InitialSeed(SearchConfig config) => SeededRandom.Derive(config.Search.Seed, "initial-weights");

    public UnitResult.ShardTrained Run(CancellationToken cancellation)
    {
        SearchConfig config = session.Config;
        int count = config.Rounds.Steps;
        BatchStream weightBatches = Batches(session.Images.Splits.Weights, "weights", config.Weights.Batch, config.Data.Augment);
        BatchStream architectureBatches = Batches(session.Images.Splits.Validation, "architecture", config.Architecture.Batch, null);
        long first = (((long)unit.Schedule.StageRound * config.Rounds.Shards) + unit.Shard) * count;
        long[] indices = [.. Enumerable.Range(0, count).Select(i => first + i)];
        double[][] sum = [.. unit.Alive.Layers.Select(l => new double[l.Count])];
        using IEnumerator<HostBatch> validation = architectureBatches
            .Prefetch(LearnsArchitecture ? indices : [], config.Data.PrefetchBatches).GetEnumerator();
        ArchitectureStep architectureStep =
            new(session, unit, (network, architecture, classes), random, (meter, architectureLoss)) { PathLosses = Known() };
        int step = 0, firstStep = ((unit.Schedule.GlobalRound * config.Rounds.Shards) + unit.Shard) * count;
        foreach (HostBatch batch in weightBatches.Prefetch(indices, config.Data.PrefetchBatches))
        {
            cancellation.ThrowIfCancellationRequested();
            WeightStep(batch, Rate(step));
            average?.Update(firstStep + step + 1);
            if (LearnsArchitecture && validation.MoveNext())
            {
                average?.Swap();
                architectureStep.Take(validation.Current, firstStep + step);
                average?.Swap();
            }

            step++;
            for (int l = 0; l < sum.Length; l++)
            {
                double[] p = architecture.Probabilities(l);
                for (int j = 0; j < p.Length; j++)
                    sum[l][j] += p[j] / count;
            }
        }

        return Result(sum, architectureStep.PathLosses);
    }

    public void Dispose()
    {
        loss.Dispose();
        accuracy.Dispose();
        architectureLoss.Dispose();
        classes.Dispose();
        average?.Dispose();
        optimiser.Dispose();
        network.Dispose();
    }

    /// <summary>The path losses of the rounds before this one.</summary>
    private List<PathLoss> Known() =>
        session.Config.Evidence.Kind == EvidenceKind.Effect && unit.Input is { } input
            ? [.. SupernetState.PathLosses(session.Blobs.Get(input))] : [];

    private UnitResult.ShardTrained Result(double[][] probabilities, List<PathLoss> pathLosses)
    {
        double meanLoss = loss.Read("the weight loss");
        (Dictionary<string, HostTensor> tensors, Dictionary<string, string> metadata) =
            SupernetState.Collect(network, optimiser, architecture, steps, average);
        if (session.Config.Evidence.Kind == EvidenceKind.Effect)
            tensors[SupernetState.Paths] = SupernetState.ToHost(PathLoss.Kept(pathLosses));
        BlobRef output = session.Blobs.Put(Safetensors.Write(tensors, metadata));
        return new(
            unit.Id,
            meter.Cost,
            meter.Timing,
            output,
            Math.Round(meanLoss, 6),
            Math.Round(accuracy.Read("the accuracy"), 6),
            Math.Round(architectureLoss.Read("the architecture loss"), 6),
            probabilities.Select(l => l.Select(p => Math.Round(p, 9)).ToValueList()).ToValueList());
    }

    private BatchStream Batches(IReadOnlyList<ImageEntry[]> split, string purpose, int size, AugmentOptions? augment)
    {
        ImageEntry[] entries = ImageSet.Slice(split, unit.Stage.Classes, unit.Stage.ImageShare);
        return new BatchStream(session.Images, entries, SeededRandom.Derive(session.Config.Search.Seed, "order", purpose, unit.Stage.Index),
            session.Shape(size), augment);
    }

    private double Rate(int step)
    {
        WeightOptions o = session.Config.Weights;
        long perRound = session.Config.Rounds.Steps;
        double first = o.LearningRate * unit.Schedule.RateScale;
        return o.Schedule switch
        {
            LearningRateSchedule.CosineTotal => EngineSession.Cosine(
                first, (unit.Schedule.GlobalRound * perRound) + step, unit.Schedule.TotalRounds * perRound),
            LearningRateSchedule.CosinePerStage => EngineSession.Cosine(
                first, (unit.Schedule.StageRound * perRound) + step, unit.Stage.Rounds * perRound),
            _ => first,
        };
    }

    /// <summary>Forward, loss, backward, step; the optimiser leaves all gradients null for the next one.</summary>
    private void WeightStep(HostBatch batch, double rate)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor x_NCHW, Tensor labels) = session.ToTensors(batch);
        int n = batch.Labels.Length;
        network.Norm.Momentum = 0.1;
        (Tensor logits, IReadOnlyList<NetworkPart> used, long macs) = Forward(x_NCHW);
        (Tensor active_NA, Tensor target) = classes.Select(logits, labels);
        Tensor ce = nn.functional.cross_entropy(active_NA, target, label_smoothing: session.Config.Weights.LabelSmoothing);
        meter.Forward(n, macs);
        ce.backward();
        meter.Backward(n);
        optimiser.Step(used, rate);
        foreach (NetworkPart part in used)
            steps[part.Name] = steps.GetValueOrDefault(part.Name) + 1;
        loss.Add(ce, n);
        accuracy.Add(active_NA.detach().argmax(1).eq(target).to_type(float32).mean(), n);
    }

    /// <summary>
    /// All blocks weighted by their probabilities (the soft sampler), or one path; the parts that took part, and the MACs of one image.
    /// </summary>
    private (Tensor Logits, IReadOnlyList<NetworkPart> Used, long Macs) Forward(Tensor x_NCHW)
    {
        if (session.Config.Sampler.Kind == SamplerKind.Soft && LearnsArchitecture)
        {
            Tensor[][] weights = [.. unit.Alive.Layers.Select((_, l) =>
                architecture.Probabilities(l).Select(p => tensor([(float)p], [1], device: session.Device)).ToArray())];
            return (network.ForwardMixed(x_NCHW, weights), network.Parts, session.Costs.MacsOfAll(unit.Alive));
        }

        int[] path = LearnsArchitecture ? architecture.GumbelPath(random, unit.Schedule.Temperature).Path
            : architecture.UniformPath(random);
        string[] names = Names(path);
        return (network.Forward(x_NCHW, names), network.PartsOf(names), session.MacsOf(names));
    }

    private string[] Names(int[] path) => [.. path.Select((j, l) => unit.Alive.Layers[l][j])];
}
