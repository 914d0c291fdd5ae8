using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// The splits of a data set: indices into the source's entries, a class at a time, in an order derived from <c>data.split-seed</c>.
/// </summary>
public sealed record DatasetSplits(IReadOnlyList<ImageEntry[]> Weights, IReadOnlyList<ImageEntry[]> Validation,
    IReadOnlyList<ImageEntry[]> Test)
{
    /// <summary>
    /// Splits class by class: where the source has no test split, <c>test-fraction</c> of the pool; of the rest <c>validation-fraction</c>
    /// for architecture steps, difficulty and comparison; what is left trains the weights. Every class keeps one image in each.
    /// </summary>
    public static DatasetSplits Of(ImageSource source, SearchConfig config)
    {
        long seed = config.Data.SplitSeed ?? config.Search.Seed;
        ImageEntry[][] pool = ByClass(source.Train, source, seed, "train", config.Data.LimitPerClass);
        ImageEntry[][] test = ByClass(source.Test, source, seed, "test", config.Data.TestLimitPerClass);
        if (source.Test.Count == 0)
        {
            test = [.. pool.Select(p => p[..Share(p, config.Data.TestFraction)])];
            pool = [.. pool.Select((p, c) => p[test[c].Length..])];
        }

        for (int c = 0; c < pool.Length; c++)
        {
            if (pool[c].Length < 2 || test[c].Length < 1)
                throw new DataException($"{source.Name}: class '{source.Classes[c]}' has {pool[c].Length} training and {test[c].Length} " +
                    $"test images; it needs at least 2 and 1");
        }

        ImageEntry[][] validation = [.. pool.Select(p => p[..Share(p, config.Data.ValidationFraction)])];
        return new([.. pool.Select((p, c) => p[validation[c].Length..])], validation, test);
    }

    private static int Share(ImageEntry[] pool, double fraction) =>
        Math.Clamp((int)Math.Round(pool.Length * fraction), 1, Math.Max(1, pool.Length - 1));

    private static ImageEntry[][] ByClass(IReadOnlyList<ImageEntry> entries, ImageSource source, long seed, string split, int limit)
    {
        ImageEntry[][] classes = new ImageEntry[source.Classes.Count][];
        int[] counts = new int[classes.Length];
        foreach (ImageEntry entry in entries)
            counts[entry.Class]++;
        for (int c = 0; c < classes.Length; c++)
            classes[c] = new ImageEntry[counts[c]];
        Array.Clear(counts);
        foreach (ImageEntry entry in entries)
            classes[entry.Class][counts[entry.Class]++] = entry;
        for (int c = 0; c < classes.Length; c++)
        {
            new SeededRandom(SeededRandom.Derive(seed, "split", split, c)).Shuffle(classes[c].AsSpan());
            if (limit > 0 && classes[c].Length > limit)
                classes[c] = classes[c][..limit];
        }

        return classes;
    }
}
