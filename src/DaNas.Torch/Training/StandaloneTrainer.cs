using DaNas.Torch.Optimisers;
// Shapes: N pictures, C channels, H height, W width.
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>The recipe of one stand-alone training: cosine learning rate, by default SGD and nothing else.</summary>
public sealed record TrainingRecipe(double LearningRate, double Momentum, double WeightDecay, int Batch, double LabelSmoothing, int TotalSteps)
{
    public OptimiserKind Optimiser { get; init; }

    /// <summary>Steps in which the learning rate rises linearly.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Decay of the moving average of the weights; 0: none.</summary>
    public double AverageDecay { get; init; }

    /// <summary>How batches are mixed, where they are.</summary>
    public BatchMixing? Mixing { get; init; }

    /// <summary>The recipe of retraining, for a number of steps.</summary>
    public static TrainingRecipe Of(RetrainOptions o, int totalSteps, long seed) => new(o.LearningRate, o.Momentum, o.WeightDecay, o.Batch, o.LabelSmoothing, totalSteps)
    {
        Optimiser = o.Optimiser,
        WarmupSteps = (int)Math.Ceiling(totalSteps * o.WarmupEpochs / o.Epochs),
        AverageDecay = o.AverageDecay,
        Mixing = o.Mixup > 0 || o.Cutmix > 0 ? new BatchMixing(o.Mixup, o.Cutmix, SeededRandom.Derive(seed, "mixing")) : null,
    };

    /// <summary>The learning rate of a step, counted from 0; a step beyond the recipe's begins it anew (warm restarts, Loshchilov and Hutter 2017).</summary>
    public double RateAt(int step) => step % TotalSteps is var at && at < WarmupSteps
        ? LearningRate * (at + 1) / WarmupSteps
        : EngineSession.Cosine(LearningRate, at - WarmupSteps, TotalSteps - WarmupSteps);
}

/// <summary>Trains one architecture by itself (difficulty proxy, retraining) and measures it class by class.</summary>
public sealed class StandaloneTrainer : IDisposable
{
    private readonly EngineSession session;
    private readonly IReadOnlyList<string> path;
    private readonly TrainingRecipe recipe;
    private readonly ChainNetwork network;
    private readonly IOptimiser optimiser;
    private readonly WeightAverage? average;

    public StandaloneTrainer(EngineSession session, IReadOnlyList<string> path, TrainingRecipe recipe, long seed, BlobRef? input)
    {
        this.session = session;
        this.path = path;
        this.recipe = recipe;
        network = session.Build(EngineSession.OnlyOf(path), input is null ? SeededRandom.Derive(seed, "weights") : null);
        optimiser = recipe.Optimiser == OptimiserKind.Adamw
            ? new AdamW(network, session.Device, recipe.Momentum, recipe.WeightDecay)
            : new Optimiser(network, session.Device, recipe.Momentum, recipe.WeightDecay);
        average = WeightAverage.Of(network, recipe.AverageDecay);
        if (input is not null)
            SupernetState.Restore(session.Blobs.Get(input), network, optimiser, null, average);
    }

    public UnitMeter Meter { get; } = new();

    /// <summary>The weights and statistics now.</summary>
    public Dictionary<string, HostTensor> Weights => SupernetState.Weights(network);

    /// <summary>Steps [from, to) over the batches of a stream; returns mean loss and accuracy (of mixed batches, by the labels of the pictures that others were mixed into).</summary>
    public (double Loss, double Accuracy) Train(BatchStream batches, int from, int to, CancellationToken cancellation)
    {
        using RunningMean loss = new();
        using RunningMean accuracy = new();
        network.Norm.UseBatchStatistics = true;
        network.Norm.Momentum = 0.1;
        int step = from;
        foreach (HostBatch batch in batches.Prefetch([.. Enumerable.Range(from, to - from).Select(i => (long)i)], session.Config.Data.PrefetchBatches))
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Mixed mixed = recipe.Mixing?.Apply(batch, session.Shape(batch.Labels.Length), step) ?? new(batch, batch.Labels, 1);
            (Tensor x_NCHW, Tensor labels) = session.ToTensors(mixed.Batch);
            Tensor logits = network.Forward(x_NCHW, path);
            Tensor ce = nn.functional.cross_entropy(logits, labels, label_smoothing: recipe.LabelSmoothing);
            if (mixed.Share < 1)
                ce = ce.Times(mixed.Share).Plus(nn.functional.cross_entropy(logits, tensor(mixed.Others, device: session.Device), label_smoothing: recipe.LabelSmoothing).Times(1 - mixed.Share));
            Meter.Forward(batch.Labels.Length, session.MacsOf(path));
            ce.backward();
            Meter.Backward(batch.Labels.Length);
            double rate = recipe.RateAt(step++);
            optimiser.Step(network.Parts, rate, step);
            average?.Update(step);
            loss.Add(ce, batch.Labels.Length);
            accuracy.Add(logits.detach().argmax(1).eq(labels).to_type(float32).mean(), batch.Labels.Length);
        }

        return (loss.Read("the loss"), accuracy.Read("the accuracy"));
    }

    /// <summary>Training is over: the moving average, where there is one, becomes the model.</summary>
    public void Finish() => average?.Apply();

    public ClassMeasurement Measure(IReadOnlyList<ImageEntry[]> split) =>
        ClassMeasurement.Of(session, network, path, ImageSet.Slice(split, Enumerable.Range(0, session.Images.Classes), 1), Meter);

    /// <summary>The whole training state as a blob.</summary>
    public BlobRef Save()
    {
        (Dictionary<string, HostTensor> tensors, Dictionary<string, string> metadata) = SupernetState.Collect(network, optimiser, null, null, average);
        return session.Blobs.Put(Safetensors.Write(tensors, metadata));
    }

    /// <summary>The proxy path: one block everywhere; a layer that cannot have it keeps its only choice.</summary>
    public static ValueList<string> ProxyPath(SearchSpace space, string block) =>
        space.Layers.Select(l => l.Candidates.Any(c => c.Name == block) ? block : l.Candidates[0].Name).ToValueList();

    public void Dispose()
    {
        average?.Dispose();
        optimiser.Dispose();
        network.Dispose();
    }
}

/// <summary>A way through a network and its multiply-adds for one picture.</summary>
public sealed record ForwardPass(Func<Tensor, Tensor> Run, long Macs);

/// <summary>Accuracy and mean cross-entropy, over all pictures and class by class.</summary>
public sealed record ClassMeasurement(double Accuracy, double Loss, ValueList<double> ClassAccuracy, ValueList<double> ClassLoss)
{
    private const int Batch = 100;

    /// <summary>[true][predicted]: pictures.</summary>
    public required ValueList<ValueList<int>> Confusion { get; init; }

    /// <summary>One pass of a path without gradients, with running batch-norm statistics.</summary>
    public static ClassMeasurement Of(EngineSession session, ChainNetwork network, IReadOnlyList<string> path, ImageEntry[] entries, UnitMeter meter) =>
        Of(session, network, new ForwardPass(x => network.Forward(x, path), session.MacsOf(path)), entries, meter);

    /// <summary>The same of any pass through the network.</summary>
    public static ClassMeasurement Of(EngineSession session, ChainNetwork network, ForwardPass pass, ImageEntry[] entries, UnitMeter meter)
    {
        int classes = session.Images.Classes;
        int[][] confusion = [.. Enumerable.Range(0, classes).Select(_ => new int[classes])];
        double[] losses = new double[classes];
        double[] counts = new double[classes];
        bool before = network.Norm.UseBatchStatistics;
        network.Norm.UseBatchStatistics = false;
        using IDisposable frozen = no_grad();
        foreach (HostBatch batch in BatchStream.Once(session.Images, session.Images.Readable(entries), session.Shape(Batch)))
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor x_NCHW, Tensor labels) = session.ToTensors(batch);
            Tensor logits = pass.Run(x_NCHW);
            meter.Forward(batch.Labels.Length, pass.Macs);
            long[] chosen = logits.argmax(1).cpu().data<long>().ToArray();
            float[] ce = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.None).cpu().data<float>().ToArray();
            for (int i = 0; i < chosen.Length; i++)
            {
                long label = batch.Labels[i];
                counts[label]++;
                confusion[label][chosen[i]]++;
                losses[label] += ce[i];
            }
        }

        network.Norm.UseBatchStatistics = before;
        if (losses.Any(l => !double.IsFinite(l)))
            throw new NotFiniteException("the held-out loss");
        double[] hits = [.. confusion.Select((row, c) => (double)row[c])];
        return new(
            Math.Round(hits.Sum() / counts.Sum(), 6),
            Math.Round(losses.Sum() / counts.Sum(), 6),
            hits.Select((h, c) => Math.Round(h / Math.Max(1, counts[c]), 6)).ToValueList(),
            losses.Select((l, c) => Math.Round(l / Math.Max(1, counts[c]), 6)).ToValueList())
        {
            Confusion = confusion.Select(row => row.ToValueList()).ToValueList(),
        };
    }
}
