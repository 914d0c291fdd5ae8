using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Configuration;

/// <summary>Which rule turns results into scores.</summary>
public enum StrategyKind
{
    DaNas,
    UniformSinglePath,
    Random,

    /// <summary><c>derivation.candidates</c> random architectures of about the budget, and the finals choose: what a search must beat at equal cost.</summary>
    RandomSearch,

    /// <summary>No search: the architectures of <c>search.architectures</c> are trained.</summary>
    Given,
}

/// <summary>Where images come from.</summary>
public enum DataKind
{
    Drawn,
    ImageFolder,
    Idx,
    CifarBinary,
    Catalogue,
}

/// <summary>What a broken or missing image does: end the search with its name, or be left out with a counted warning.</summary>
public enum BadImage
{
    Fail,
    Skip,
}

/// <summary>In which order classes enter: the method, its inverse and its controls.</summary>
public enum ClassOrder
{
    EasyFirst,
    HardFirst,
    Random,
    AllClassesSubsampled,
}

public enum WarmupClasses
{
    First,
    All,
}

/// <summary>
/// How a path is drawn in training: straight-through Gumbel (one path), the weighted sum of all, uniform (one path), or one path for the weights and two blocks a layer
/// for the architecture (ProxylessNAS, Cai et al. 2019, section 3.2.1).
/// </summary>
public enum SamplerKind
{
    GumbelHard,
    Soft,
    Uniform,
    TwoPath,
}

/// <summary>
/// Where a one-path sampler's gradient comes from: the straight-through gate (GDAS form), or the score function with a leave-one-out
/// baseline over several paths on the same batch (Kool et al. 2019), which needs no backward pass.
/// </summary>
public enum PathGradient
{
    LeaveOneOut,
    Gate,
}

/// <summary>The expected-cost term: hinge max(0, E/T - 1) or log-ratio max(0, ln(E/T)).</summary>
public enum CostForm
{
    Hinge,
    LogRatio,
}

/// <summary>What a block's score is: its sampling probability over the last part of the stage, supernet accuracy with it, or its effect on the path losses of the search.</summary>
public enum EvidenceKind
{
    Probability,
    Validation,
    Effect,
}

public enum LearningRateSchedule
{
    CosineTotal,
    CosinePerStage,
    Constant,
}

public enum TensorLayout
{
    ChannelsLast,
    Default,
}

public sealed record SearchOptions(string Name, long Seed, StrategyKind Strategy)
{
    /// <summary>What the strategy <c>given</c> trains, as canonical texts.</summary>
    public ValueList<string> Architectures { get; init; } = [];

    internal static SearchOptions Read(ConfigSection s) => new(s.Text("name"), s.Long("seed", long.MinValue, long.MaxValue), s.OneOf<StrategyKind>("strategy"))
    {
        Architectures = s.Has("architectures") ? s.Texts("architectures") : [],
    };
}

/// <summary>Procedural images: class count, images a class, and the spread of the difficulty knob.</summary>
public sealed record DrawnOptions(int Classes, int TrainPerClass, int TestPerClass, double Easiest, double Hardest)
{
    internal static DrawnOptions Read(ConfigSection s) => new(
        s.Int("classes", 4, 40), s.Int("train-per-class", 4, 100_000), s.Int("test-per-class", 1, 100_000), s.Number("easiest", 0, 1), s.Number("hardest", 0, 1));
}

public sealed record AugmentOptions(int CropPadding, bool Flip, int Cutout)
{
    /// <summary>RandAugment (Cubuk et al. 2020): so many random operations a picture, of this magnitude in [0, 30]; a recipe of retraining sets it.</summary>
    public (int Operations, int Magnitude) Rand { get; init; }

    internal static AugmentOptions Read(ConfigSection s) => new(s.Int("crop-padding", 0, 64), s.Flag("flip"), s.Int("cutout", 0, 256));
}

public sealed record DataOptions(
    DataKind Kind,
    string Path,
    double ValidationFraction,
    double TestFraction,
    int LimitPerClass,
    int TestLimitPerClass,
    BadImage OnBadImage,
    long CacheBytes,
    int PrefetchBatches,
    DrawnOptions Drawn,
    AugmentOptions Augment)
{
    /// <summary>What the splits are drawn by; null: the search's seed, as before 0.4.</summary>
    public long? SplitSeed { get; init; }

    /// <summary>Whether pictures in files are turned as their EXIF orientation says; as torchvision's ImageFolder does, they are taken as they are stored by default.</summary>
    public bool ExifOrientation { get; init; }

    internal static DataOptions Read(ConfigSection s) => new(
        s.OneOf<DataKind>("kind"),
        s.Text("path"),
        s.Number("validation-fraction", 0.01, 0.9),
        s.Number("test-fraction", 0.01, 0.9),
        s.Int("limit-per-class", 0, int.MaxValue),
        s.Int("test-limit-per-class", 0, int.MaxValue),
        s.OneOf<BadImage>("on-bad-image"),
        s.Bytes("cache", 0, long.MaxValue),
        s.Int("prefetch-batches", 0, 64),
        DrawnOptions.Read(s.Section("drawn")),
        AugmentOptions.Read(s.Section("augment")))
    {
        SplitSeed = s.Has("split-seed") ? s.Long("split-seed", long.MinValue, long.MaxValue) : null,
        ExifOrientation = s.Has("exif-orientation") && s.Flag("exif-orientation"),
    };
}

public sealed record CurriculumOptions(ClassOrder Order, ValueList<double> Fractions, int MinimumClasses)
{
    internal static CurriculumOptions Read(ConfigSection s)
    {
        ValueList<double> fractions = s.Numbers("fractions", 1e-6, 1);
        bool rising = fractions.Zip(fractions.Skip(1)).All(p => p.First <= p.Second);
        if (fractions.Count > 0 && (!rising || fractions[^1] < 1))
            s.Refuse("fractions", fractions.ToString(), "fractions rise and end at 1.0: the last stage sees every class");
        return new(s.OneOf<ClassOrder>("order"), fractions, s.Int("minimum-classes", 2, 100_000));
    }
}

public sealed record WarmupOptions(double Epochs, WarmupClasses Classes)
{
    internal static WarmupOptions Read(ConfigSection s) => new(s.Number("epochs", 0, 10_000), s.OneOf<WarmupClasses>("classes"));
}

public sealed record StageOptions(double Epochs)
{
    internal static StageOptions Read(ConfigSection s) => new(s.Number("epochs", 0.001, 10_000));
}

public sealed record RoundOptions(int Shards, int Steps)
{
    internal static RoundOptions Read(ConfigSection s) => new(s.Int("shards", 1, 64), s.Int("steps", 1, 1_000_000));
}

public sealed record SamplerOptions(SamplerKind Kind, PathGradient Gradient, int Paths, double Temperature, double Decay, double MinimumTemperature)
{
    /// <summary>Forward passes of one architecture step, and whether it has a backward pass.</summary>
    public (int Forward, int Backward) PassesPerStep => Kind == SamplerKind.GumbelHard && Gradient == PathGradient.LeaveOneOut ? (Paths, 0) : (1, 1);

    /// <summary>Decay of the moving average of the weights that path losses are measured with; 0: the weights themselves. Leave-one-out only.</summary>
    public double AverageDecay { get; init; }

    /// <summary>The keys that only the gate reads.</summary>
    public static ValueList<string> GateKeys { get; } = ["temperature", "decay-per-epoch", "minimum-temperature"];

    internal static SamplerOptions Read(ConfigSection s) => new(
        s.OneOf<SamplerKind>("kind"),
        s.OneOf<PathGradient>("gradient"),
        s.Int("paths", 2, 64),
        s.Has("temperature") ? s.Number("temperature", 0.001, 1000) : 5,
        s.Has("decay-per-epoch") ? s.Number("decay-per-epoch", 0.001, 1) : 0.956,
        s.Has("minimum-temperature") ? s.Number("minimum-temperature", 0.001, 1000) : 0.1)
    {
        AverageDecay = s.Has("average-decay") ? s.Number("average-decay", 0, 0.999999) : 0,
    };
}

/// <summary>SGD with momentum for the weights. Weight decay acts on convolutions and the classifier, not on batch norm.</summary>
public sealed record WeightOptions(double LearningRate, double Momentum, double WeightDecay, int Batch, LearningRateSchedule Schedule, double LabelSmoothing)
{
    internal static WeightOptions Read(ConfigSection s) => new(
        s.Number("learning-rate", 1e-9, 100),
        s.Number("momentum", 0, 0.9999),
        s.Number("weight-decay", 0, 1),
        s.Int("batch", 1, 65_536),
        s.OneOf<LearningRateSchedule>("schedule"),
        s.Number("label-smoothing", 0, 0.9));
}

/// <summary>Adam for the architecture parameters.</summary>
public sealed record ArchitectureOptions(double LearningRate, double Beta1, double Beta2, double WeightDecay, int Batch)
{
    internal static ArchitectureOptions Read(ConfigSection s) => new(
        s.Number("learning-rate", 1e-9, 100), s.Number("beta1", 0, 0.99999), s.Number("beta2", 0, 0.99999), s.Number("weight-decay", 0, 1), s.Int("batch", 1, 65_536));
}

/// <summary>The budget: an absolute target, or a fraction between the cheapest (0) and the dearest (1) architecture.</summary>
public sealed record CostOptions(long TargetMacs, double TargetFraction, double Lambda, CostForm Form, bool NormaliseLoss)
{
    /// <summary>Milliseconds that an architecture may take by <see cref="Latency"/>, beside the multiply-adds; 0: no such bound.</summary>
    public double TargetMilliseconds { get; init; }

    public LatencyTable? Latency { get; init; }

    internal static CostOptions Read(ConfigSection s) => new(
        s.Long("target-macs", 0, long.MaxValue), s.Number("target-fraction", 0, 1), s.Number("lambda", 0, 1000), s.OneOf<CostForm>("form"), s.Flag("normalise-loss"))
    {
        TargetMilliseconds = s.Has("target-milliseconds") ? s.Number("target-milliseconds", 0, 1e6) : 0,
        Latency = LatencyTable.Read(s),
    };
}

/// <summary>Evidence for blocks; the fields after <paramref name="Window"/> matter for <c>validation</c> only.</summary>
public sealed record EvidenceOptions(EvidenceKind Kind, double Window, int Rounds, int PathsPerBlock, int Images, int RecalibrationBatches, double Confidence)
{
    internal static EvidenceOptions Read(ConfigSection s) => new(
        s.OneOf<EvidenceKind>("kind"),
        s.Number("window", 0.01, 1),
        s.Int("rounds", 1, 100),
        s.Int("paths-per-block", 1, 1000),
        s.Int("images", 1, 1_000_000),
        s.Int("recalibration-batches", 0, 1000),
        s.Number("confidence", 0.5, 0.999));
}

public sealed record TrainerOptions(int Count, int Threads, TensorLayout Layout, string Device, double UnitDeadlineSeconds, int Attempts, double SilenceSeconds)
{
    /// <summary>Free memory in bytes that a trainer's device must have before it is given this search; 0: whatever it has.</summary>
    public long MemoryBytes { get; init; }

    internal static TrainerOptions Read(ConfigSection s)
    {
        string device = s.Text("device");
        if (device != "cpu" && device != "cuda" && !device.StartsWith("cuda:", StringComparison.Ordinal))
            s.Refuse("device", device, "write cpu, cuda or cuda:N");
        return new(
            s.Int("count", 1, 1024), s.Int("threads", 1, 256), s.OneOf<TensorLayout>("layout"), device, s.Seconds("unit-deadline", 1, 86_400), s.Int("attempts", 1, 100), s.Seconds("silence", 1, 86_400))
        {
            MemoryBytes = s.Has("memory") ? s.Bytes("memory", 0, 1L << 50) : 0, // Journals of 0.1 have no such key.
        };
    }
}

/// <summary>How many rounds' blobs are kept behind the newest one, besides every stage's end.</summary>
public sealed record BlobOptions(int KeepRounds)
{
    internal static BlobOptions Read(ConfigSection s) => new(s.Int("keep-rounds", 1, 1_000_000));
}
