namespace DaNas.Domain.Configuration;

/// <summary>SGD with momentum, or Adam with decoupled weight decay (Loshchilov and Hutter 2019).</summary>
public enum OptimiserKind
{
    Sgd,
    Adamw,
}

/// <summary>
/// What a training is measured on. Test: trained on all training images, measured on the test split. Validation: trained on the weights
/// split and measured on the validation split, and the test split stays unread.
/// </summary>
public enum MeasuredSplit
{
    Test,
    Validation,
}

/// <summary>
/// The recipe of training an architecture from scratch: cosine learning rate after a linear warm-up, weight decay on weights of two
/// dimensions and more only. What is off by default stands below the first line.
/// </summary>
public sealed record RetrainOptions(double Epochs, int SegmentSteps, double LearningRate, double Momentum, double WeightDecay,
    int Batch, double LabelSmoothing)
{
    public OptimiserKind Optimiser { get; init; }

    /// <summary>Epochs in which the learning rate rises linearly to its first value.</summary>
    public double WarmupEpochs { get; init; }

    /// <summary>Decay of the moving average of weights and statistics that is measured and handed over in their place; 0: off.</summary>
    public double AverageDecay { get; init; }

    /// <summary>Mixup (Zhang et al. 2018): Beta(a, a) is the share of one image in another; 0: off.</summary>
    public double Mixup { get; init; }

    /// <summary>
    /// CutMix (Yun et al. 2019): Beta(a, a) is the area that is left of an image; 0: off. With mixup, either one a batch.
    /// </summary>
    public double Cutmix { get; init; }

    public int RandAugmentOperations { get; init; }

    public int RandAugmentMagnitude { get; init; }

    /// <summary>How many of the ranked candidates are trained, the winner among them.</summary>
    public int Top { get; init; } = 1;

    /// <summary>How often each architecture is trained, from different seeds.</summary>
    public int Seeds { get; init; } = 1;

    /// <summary>Which seed is the first, counted from 0: a training beside another one takes later ones.</summary>
    public int FirstSeed { get; init; }

    public MeasuredSplit MeasureOn { get; init; }

    /// <summary>The split's name, for people.</summary>
    public string MeasuredName => ConfigSection.Kebab(MeasureOn.ToString());

    internal static RetrainOptions Read(ConfigSection s)
    {
        RetrainOptions plain = new(
            s.Number("epochs", 0.001, 10_000),
            s.Int("segment-steps", 1, 1_000_000),
            s.Number("learning-rate", 1e-9, 100),
            s.Number("momentum", 0, 0.9999),
            s.Number("weight-decay", 0, 1),
            s.Int("batch", 1, 65_536),
            s.Number("label-smoothing", 0, 0.9));
        if (!s.Has("optimiser"))
            return plain; // Journals of 0.2 and before have none of what follows.
        RetrainOptions whole = plain with
        {
            Optimiser = s.OneOf<OptimiserKind>("optimiser"),
            WarmupEpochs = s.Number("warmup-epochs", 0, 10_000),
            AverageDecay = s.Number("average-decay", 0, 0.999999),
            Mixup = s.Number("mixup", 0, 10),
            Cutmix = s.Number("cutmix", 0, 10),
            RandAugmentOperations = s.Section("rand-augment").Int("operations", 0, 10),
            RandAugmentMagnitude = s.Section("rand-augment").Int("magnitude", 0, 30),
            Top = s.Int("top", 1, 1000),
            Seeds = s.Int("seeds", 1, 100),
            FirstSeed = s.Int("first-seed", 0, 1000),
            MeasureOn = s.Has("measure-on") ? s.OneOf<MeasuredSplit>("measure-on") : MeasuredSplit.Test,
        };
        if (whole.WarmupEpochs >= whole.Epochs)
            s.Refuse("warmup-epochs", whole.WarmupEpochs.ToString(System.Globalization.CultureInfo.InvariantCulture),
                "must be less than retrain.epochs");
        return whole;
    }
}
