// Shapes: N images, C channels, H height, W width.
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;
using DaNas.Torch.Data;
using DaNas.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>The recipe of one stand-alone training: cosine learning rate, by default SGD and nothing else.</summary>
public sealed record TrainingRecipe(double LearningRate, double Momentum, double WeightDecay, int Batch,
    double LabelSmoothing, int TotalSteps)
{
    public OptimiserKind Optimiser { get; init; }

    /// <summary>Steps in which the learning rate rises linearly.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Decay of the moving average of the weights; 0: none.</summary>
    public double AverageDecay { get; init; }

    /// <summary>How batches are mixed, where they are.</summary>
    public BatchMixing? Mixing { get; init; }

    /// <summary>The recipe of retraining, for a number of steps.</summary>
    public static TrainingRecipe Of(RetrainOptions o, int totalSteps, long seed) =>
        new(o.LearningRate, o.Momentum, o.WeightDecay, o.Batch, o.LabelSmoothing, totalSteps)
        {
            Optimiser = o.Optimiser,
            WarmupSteps = (int)Math.Ceiling(totalSteps * o.WarmupEpochs / o.Epochs),
            AverageDecay = o.AverageDecay,
            Mixing = o.Mixup > 0 || o.Cutmix > 0 ? new BatchMixing(o.Mixup, o.Cutmix, SeededRandom.Derive(seed, "mixing")) : null,
        };

    /// <summary>
    /// The learning rate of a step, counted from 0; a step beyond the recipe's begins it anew (warm restarts, Loshchilov and Hutter 2017).
    /// </summary>
    public double RateAt(int step) => step % TotalSteps is var at && at < WarmupSteps
        ? LearningRate * (at + 1) / WarmupSteps
        : EngineSession.Cosine(LearningRate, at - WarmupSteps, TotalSteps - WarmupSteps);
}
