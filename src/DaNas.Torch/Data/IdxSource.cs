using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.RegularExpressions;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// IDX files (MNIST, Fashion-MNIST, EMNIST), gzipped or not: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... or test-..., with
/// anything before (emnist-letters-train-...) and dots or dashes between. Classes are the labels of the training split in rising order:
/// those of EMNIST letters begin at 1.
/// </summary>
public sealed partial class IdxSource : ImageSource
{
    private readonly Pack train;
    private readonly Pack test;
    private readonly Digest fingerprint;

    public IdxSource(string folder)
        : this(folder, Load(folder, "train"), Load(folder, "t10k"))
    {
    }

    private IdxSource(string folder, Pack train, Pack test)
        : this(folder, train, test, [.. train.Labels.Distinct().Order()])
    {
    }

    private IdxSource(string folder, Pack train, Pack test, byte[] labels)
        : base(System.IO.Path.GetFileName(folder.TrimEnd('/')),
            labels.Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToValueList())
    {
        if (train.Height != test.Height || train.Width != test.Width)
            throw new DataException($"{folder}: train images are {train.Width}x{train.Height}, test images {test.Width}x{test.Height}; " +
                $"they must have the same size");
        if (labels.Length < 2)
            throw new DataException($"{train.LabelFile} contains only the label {labels[0]}; a data set needs two or more classes");
        if (Array.FindIndex(test.Labels, l => Array.BinarySearch(labels, l) < 0) is >= 0 and int at)
            throw new DataException($"{test.LabelFile} has label {test.Labels[at]} (image {at}), which no training image has (labels " +
                $"{labels[0]} to {labels[^1]}, {labels.Length} of them); use both files from the same data set");
        (this.train, this.test) = (train, test);
        Train = Entries(train.Labels, labels, "train", 0);
        Test = Entries(test.Labels, labels, "t10k", 1);
        fingerprint =
            Digest.Of($"idx {Digest.Of(train.Pixels)} {Digest.Of(train.Labels)} {Digest.Of(test.Pixels)} {Digest.Of(test.Labels)}");
    }

    public override Digest Fingerprint => fingerprint;

    public override void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size)
    {
        byte[] all = (entry.Offset & 1) == 0 ? train.Pixels : test.Pixels;
        long index = entry.Offset >> 1;
        Pixels.Resize(all.AsSpan(checked((int)(index * train.Width * train.Height)), train.Width * train.Height),
            (train.Width, train.Height, 1), pixels, channels, size);
    }

    /// <summary>Whether a folder has the images of a training split in this form.</summary>
    public static bool IsIn(string folder) => Directory.Exists(folder) && Files(folder).Any(f => f.Split == "train" && f.Kind == "images");

    private static List<ImageEntry> Entries(byte[] all, byte[] labels, string split, int bit) =>
        [.. all.Select((label, i) => new ImageEntry(Array.BinarySearch(labels, label), $"{split}[{i}]", ((long)i << 1) | (uint)bit))];

    private static Pack Load(string folder, string split)
    {
        (byte[] images, string imageFile) = Read(folder, split, "images");
        (byte[] labels, string labelFile) = Read(folder, split, "labels");
        if (images.Length < 16 || BinaryPrimitives.ReadInt32BigEndian(images) != 0x803)
            throw new DataException($"{imageFile} is not an IDX file of images (its first four bytes are not 00 00 08 03)");
        if (labels.Length < 8 || BinaryPrimitives.ReadInt32BigEndian(labels) != 0x801)
            throw new DataException($"{labelFile} is not an IDX file of labels (its first four bytes are not 00 00 08 01)");
        int count = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(4));
        int height = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(8));
        int width = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(12));
        if (count < 1 || height < 1 || width < 1)
            throw new DataException($"{imageFile} declares {count} images of {width}x{height}; an IDX data set needs at least one image " +
                $"of at least one pixel; download it again");
        if (images.Length - 16 != (Int128)count * height * width || labels.Length - 8 != count)
            throw new DataException($"{imageFile} declares {count} images of {width}x{height}, but the files contain " +
                $"{images.Length - 16} and {labels.Length - 8} bytes; fetch them again");
        return new(images[16..], labels[8..], height, width, labelFile);
    }

    /// <summary>Files of a folder that are named like IDX files; the last 10,000 images of MNIST are its test split.</summary>
    private static IEnumerable<(string Path, string Prefix, string Split, string Kind)> Files(string folder) =>
        from path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
        let match = Named().Match(System.IO.Path.GetFileName(path))
        where match.Success
        select (path, match.Groups["prefix"].Value, match.Groups["split"].Value.ToLowerInvariant() is "train"
            ? "train" : "t10k", match.Groups["kind"].Value.ToLowerInvariant());

    [GeneratedRegex("^(?<prefix>.*?)(?<split>train|t10k|test)[-_.](?<kind>images|labels)[-_.]idx[13][-_.]ubyte(\\.gz)?$",
        RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    private static (byte[] Bytes, string File) Read(string folder, string split, string kind)
    {
        string name = $"{split}-{kind}-idx{(kind == "images" ? 3 : 1)}-ubyte";
        if (!Directory.Exists(folder))
            throw new DataException($"{folder} is missing; an IDX data set is a folder with {name}[.gz] and three more files");
        (string Path, string Prefix, string Split, string Kind)[] all = [.. Files(folder)];
        if (all.Where(f => f.Prefix.Length == 0).ToArray() is { Length: > 0 } plain)
            all = plain; // The usual four, whatever lies beside them.
        if (all.Select(f => f.Prefix).Distinct(StringComparer.Ordinal).ToArray() is { Length: > 1 } prefixes)
            throw new DataException($"{folder} holds {prefixes.Length} data sets " +
                $"({string.Join(", ", prefixes.Select(p => p.Length == 0 ? "train-..." : $"{p}..."))}); put the four files of one of " +
                $"them into a separate folder");
        string? file = all.Where(f => f.Split == split && f.Kind == kind).Select(f => f.Path).FirstOrDefault();
        if (file is null)
            throw new DataException($"{System.IO.Path.Combine(folder, name)}[.gz] is missing; an IDX data set has train- and " +
                $"t10k- images and labels");
        try
        {
            using Stream stream = file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
                ? new GZipStream(File.OpenRead(file), CompressionMode.Decompress) : File.OpenRead(file);
            using MemoryStream memory = new();
            stream.CopyTo(memory);
            return (memory.ToArray(), file);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{file} cannot be read ({e.Message}); fetch it again", e);
        }
    }

    private sealed record Pack(byte[] Pixels, byte[] Labels, int Height, int Width, string LabelFile);
}
