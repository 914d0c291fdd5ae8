namespace DaNas.Domain.Configuration;

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

/// <summary>Procedural images: class count, images a class, and the spread of the difficulty knob.</summary>
public sealed record DrawnOptions(int Classes, int TrainPerClass, int TestPerClass, double Easiest, double Hardest)
{
    internal static DrawnOptions Read(ConfigSection s) => new(
        s.Int("classes", 4, 40), s.Int("train-per-class", 4, 100_000), s.Int("test-per-class", 1, 100_000), s.Number("easiest", 0, 1),
            s.Number("hardest", 0, 1));
}

public sealed record AugmentOptions(int CropPadding, bool Flip, int Cutout)
{
    /// <summary>
    /// RandAugment (Cubuk et al. 2020): so many random operations an image, of this magnitude in [0, 30]; a recipe of retraining sets it.
    /// </summary>
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

    /// <summary>
    /// Whether images in files are turned as their EXIF orientation says; as torchvision's ImageFolder does, they are taken as they are
    /// stored by default.
    /// </summary>
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
