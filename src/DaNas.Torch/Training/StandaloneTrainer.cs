// Shapes: N images, C channels, H height, W width.
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>Trains one architecture by itself (difficulty proxy, retraining) and measures it class by class.</summary>
public sealed class StandaloneTrainer : IDisposable
{
    private readonly EngineSession session;
    private readonly IReadOnlyList<string> path;
    private readonly TrainingRecipe recipe;
    private readonly ChainNetwork network;
    private readonly Optimiser optimiser;
    private readonly WeightAverage? average;

    public StandaloneTrainer(EngineSession session, IReadOnlyList<string> path, TrainingRecipe recipe, long seed, BlobRef? input)
    {
        this.session = session;
        this.path = path;
        this.recipe = recipe;
        network = session.Build(EngineSession.OnlyOf(path), input is null ? SeededRandom.Derive(seed, "weights") : null);
        UpdateRule rule = recipe.Optimiser == OptimiserKind.Adamw ? new AdamW(recipe.Momentum) : new Sgd(recipe.Momentum);
        optimiser = new Optimiser(network, session.Device, recipe.WeightDecay, rule);
        average = WeightAverage.Of(network, recipe.AverageDecay);
        if (input is not null)
            SupernetState.Restore(session.Blobs.Get(input), network, optimiser, null, average);
    }

    public UnitMeter Meter { get; } = new();

    /// <summary>The weights and statistics now.</summary>
    public Dictionary<string, HostTensor> Weights => SupernetState.Weights(network);

    /// <summary>
    /// Steps [from, to) over the batches of a stream; returns mean loss and accuracy (of mixed batches, by the labels of the images that
    /// others were mixed into).
    /// </summary>
    public (double Loss, double Accuracy) Train(BatchStream batches, int from, int to, CancellationToken cancellation)
    {
        using RunningMean loss = new();
        using RunningMean accuracy = new();
        network.Norm.UseBatchStatistics = true;
        network.Norm.Momentum = 0.1;
        int step = from;
        foreach (HostBatch batch in batches.Prefetch([.. Enumerable.Range(from, to - from).Select(i => (long)i)],
            session.Config.Data.PrefetchBatches))
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Mixed mixed = recipe.Mixing?.Apply(batch, session.Shape(batch.Labels.Length), step) ?? new(batch, batch.Labels, 1);
            (Tensor x_NCHW, Tensor labels) = session.ToTensors(mixed.Batch);
            Tensor logits = network.Forward(x_NCHW, path);
            Tensor ce = nn.functional.cross_entropy(logits, labels, label_smoothing: recipe.LabelSmoothing);
            if (mixed.Share < 1)
                ce = ce.Times(mixed.Share).Plus(nn.functional.cross_entropy(
                    logits, tensor(mixed.Others, device: session.Device), label_smoothing: recipe.LabelSmoothing).Times(1 - mixed.Share));
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
        (Dictionary<string, HostTensor> tensors, Dictionary<string, string> metadata) =
            SupernetState.Collect(network, optimiser, null, null, average);
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
