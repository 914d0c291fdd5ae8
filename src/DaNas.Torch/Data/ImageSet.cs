using System.Collections.Concurrent;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>The data of one search in a trainer: splits, and decoded images kept while they fit the cache.</summary>
public sealed class ImageSet
{
    private readonly ImageSource source;
    private readonly SearchConfig config;
    private readonly ConcurrentDictionary<string, byte[]?> cache = new(StringComparer.Ordinal);
    private readonly int channels;
    private readonly int size;
    private long cachedBytes;
    private int broken;

    public ImageSet(SearchConfig config, int channels, int size)
    {
        this.config = config;
        this.channels = channels;
        this.size = size;
        source = ImageSource.Open(config);
        Splits = DatasetSplits.Of(source, config);
    }

    public DatasetSplits Splits { get; }

    public int Classes => source.Classes.Count;

    public Digest Fingerprint => source.Fingerprint;

    /// <summary>Bytes of one decoded image, [C, H, W].</summary>
    public int PixelCount => channels * size * size;

    /// <summary>Images that were left out because they are broken (data.on-bad-image = skip), by name.</summary>
    public IReadOnlyCollection<string> Broken => [.. cache.Where(e => e.Value is null).Select(e => e.Key)];

    /// <summary>The images of some classes with an equal share of each, in a fixed order: class after class.</summary>
    public static ImageEntry[] Slice(IReadOnlyList<ImageEntry[]> split, IEnumerable<int> classes, double share) =>
        [.. classes.SelectMany(c => split[c].Take(Math.Max(1, (int)Math.Round(split[c].Length * share))))];

    /// <summary>
    /// One decoded image, [C, H, W] uint8. A broken one throws, or (when configured) is replaced by the next of its class, the same
    /// every time.
    /// </summary>
    public byte[] Load(ImageEntry entry)
    {
        if (TryLoad(entry) is { } pixels)
            return pixels;
        ImageEntry[] same = Splits.Weights[entry.Class];
        foreach (ImageEntry other in same)
        {
            if (TryLoad(other) is { } substitute)
                return substitute;
        }

        throw new DataException($"every image of class '{source.Classes[entry.Class]}' is broken; check the data with 'danas data check'");
    }

    /// <summary>The images that decode: what a measurement is taken over (all of them, unless broken ones are to be skipped).</summary>
    public ImageEntry[] Readable(ImageEntry[] entries) =>
        config.Data.OnBadImage == BadImage.Fail ? entries : [.. entries.Where(e => TryLoad(e) is not null)];

    private byte[]? TryLoad(ImageEntry entry)
    {
        if (cache.TryGetValue(entry.Name, out byte[]? known))
            return known;
        byte[]? pixels = new byte[PixelCount];
        try
        {
            source.Decode(entry, pixels, channels, size);
        }
        catch (DataException e) when (config.Data.OnBadImage == BadImage.Skip)
        {
            // Standard error of a trainer goes to the search's trainer-N.log.
            Console.Error.WriteLine($"warning: broken image {Interlocked.Increment(ref broken)} skipped: {e.Message}");
            pixels = null;
        }

        if (pixels is null || Interlocked.Add(ref cachedBytes, pixels.Length) <= config.Data.CacheBytes)
            cache.TryAdd(entry.Name, pixels);
        return pixels;
    }
}
