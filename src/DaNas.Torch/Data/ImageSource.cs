using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// A data set as it lies on disk: entries are listed at once, images are decoded on demand. Images are [C, H, W] uint8 of the
/// search space's channels and resolution.
/// </summary>
public abstract class ImageSource(string name, ValueList<string> classes)
{
    public string Name => name;

    public ValueList<string> Classes => classes;

    /// <summary>The pool that training and validation are split from.</summary>
    public IReadOnlyList<ImageEntry> Train { get; protected init; } = [];

    /// <summary>The official test split; empty: one is split off the pool.</summary>
    public IReadOnlyList<ImageEntry> Test { get; protected init; } = [];

    /// <summary>
    /// What whoever opens the data set should know: files that are left out, folders that are not read, images that are listed twice. Each
    /// with a number and an example.
    /// </summary>
    public IReadOnlyList<string> Remarks { get; protected init; } = [];

    /// <summary>Names the content: the same listing gives the same fingerprint.</summary>
    public abstract Digest Fingerprint { get; }

    /// <summary>Decodes one image into [C, H, W]. Throws <see cref="DataException"/> with the image's name.</summary>
    public abstract void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size);

    /// <summary>
    /// The bytes of one image's file; null where images are no files of their own, and the fingerprint covers their content. Throws
    /// <see cref="DataException"/>.
    /// </summary>
    public virtual byte[]? Encoded(ImageEntry entry) => null;

    /// <summary>Opens the data set that a configuration names; throws <see cref="DataException"/> with the path and the remedy.</summary>
    public static ImageSource Open(SearchConfig config) => config.Data.Kind switch
    {
        DataKind.Drawn => new DrawnSource(config.Data.Drawn, config.Data.SplitSeed ?? config.Search.Seed),
        DataKind.Idx => new IdxSource(config.Data.Path),
        DataKind.CifarBinary => new CifarSource(config.Data.Path),
        DataKind.Catalogue => new CatalogueSource(config.Data.Path) { Upright = config.Data.ExifOrientation },
        _ => new FolderSource(config.Data.Path) { Upright = config.Data.ExifOrientation },
    };
}

/// <summary>Copies between image shapes.</summary>
internal static class Pixels
{
    /// <summary>
    /// Interleaved RGB or grey [h, w, source channels] to planar [channels, size, size]: centre crop to a square, then area average when
    /// shrinking and bilinear when growing. Grey is repeated; RGB becomes grey by ITU-R 601 weights.
    /// </summary>
    public static void Resize(ReadOnlySpan<byte> source, (int Width, int Height, int Channels) shape,
        Span<byte> target, int channels, int size)
    {
        int side = Math.Min(shape.Width, shape.Height);
        int left = (shape.Width - side) / 2;
        int top = (shape.Height - side) / 2;
        double scale = (double)side / size;
        Span<double> sum = stackalloc double[3];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                Window window = new(left + (x * scale), top + (y * scale), Math.Max(scale, 1), left + side - 1, top + side - 1);
                Average(source, shape, window, sum);
                for (int c = 0; c < channels; c++)
                    target[(((c * size) + y) * size) + x] = (byte)Math.Clamp(Math.Round(Channel(sum, shape.Channels, channels, c)), 0, 255);
            }
        }
    }

    private static double Channel(ReadOnlySpan<double> mean, int from, int to, int c) =>
        from == 1 ? mean[0] : to == 1 ? (0.299 * mean[0]) + (0.587 * mean[1]) + (0.114 * mean[2]) : mean[Math.Min(c, from - 1)];

    private static void Average(ReadOnlySpan<byte> source, (int Width, int Height, int Channels) shape, Window w, Span<double> sum)
    {
        sum.Clear();
        double total = 0;
        for (int y = (int)w.Top; y <= Math.Min(w.MaxY, (int)Math.Ceiling(w.Top + w.Side) - 1); y++)
        {
            double wy = Math.Min(y + 1, w.Top + w.Side) - Math.Max(y, w.Top);
            for (int x = (int)w.Left; x <= Math.Min(w.MaxX, (int)Math.Ceiling(w.Left + w.Side) - 1); x++)
            {
                double weight = wy * (Math.Min(x + 1, w.Left + w.Side) - Math.Max(x, w.Left));
                total += weight;
                for (int c = 0; c < shape.Channels; c++)
                    sum[c] += weight * source[(((y * shape.Width) + x) * shape.Channels) + c];
            }
        }

        for (int c = 0; c < shape.Channels; c++)
            sum[c] /= total;
    }

    private readonly record struct Window(double Left, double Top, double Side, int MaxX, int MaxY);
}
