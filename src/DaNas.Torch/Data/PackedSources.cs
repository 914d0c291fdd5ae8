using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.RegularExpressions;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>
/// IDX files (MNIST, Fashion-MNIST, EMNIST), gzipped or not: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... or test-..., with anything before (emnist-letters-train-...) and
/// dots or dashes between. Classes are the labels of the training split in rising order: those of EMNIST letters begin at 1.
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
        : base(System.IO.Path.GetFileName(folder.TrimEnd('/')), labels.Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToValueList())
    {
        if (train.Height != test.Height || train.Width != test.Width)
            throw new DataException($"{folder}: train pictures are {train.Width}x{train.Height}, test pictures {test.Width}x{test.Height}; they must be of one size");
        if (labels.Length < 2)
            throw new DataException($"{train.LabelFile} has no other label than {labels[0]}; a data set has two classes or more");
        if (Array.FindIndex(test.Labels, l => Array.BinarySearch(labels, l) < 0) is >= 0 and int at)
            throw new DataException($"{test.LabelFile} has label {test.Labels[at]} (picture {at}), which no training picture has (labels {labels[0]} to {labels[^1]}, {labels.Length} of them); take both files from one data set");
        (this.train, this.test) = (train, test);
        Train = Entries(train.Labels, labels, "train", 0);
        Test = Entries(test.Labels, labels, "t10k", 1);
        fingerprint = Digest.Of($"idx {Digest.Of(train.Pixels)} {Digest.Of(train.Labels)} {Digest.Of(test.Pixels)} {Digest.Of(test.Labels)}");
    }

    public override Digest Fingerprint => fingerprint;

    public override void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size)
    {
        byte[] all = (entry.Offset & 1) == 0 ? train.Pixels : test.Pixels;
        long index = entry.Offset >> 1;
        Pixels.Resize(all.AsSpan(checked((int)(index * train.Width * train.Height)), train.Width * train.Height), (train.Width, train.Height, 1), pixels, channels, size);
    }

    /// <summary>Whether a folder has the pictures of a training split in this form.</summary>
    public static bool IsIn(string folder) => Directory.Exists(folder) && Files(folder).Any(f => f.Split == "train" && f.Kind == "images");

    private static List<ImageEntry> Entries(byte[] all, byte[] labels, string split, int bit) =>
        [.. all.Select((label, i) => new ImageEntry(Array.BinarySearch(labels, label), $"{split}[{i}]", ((long)i << 1) | (uint)bit))];

    private static Pack Load(string folder, string split)
    {
        (byte[] images, string imageFile) = Read(folder, split, "images");
        (byte[] labels, string labelFile) = Read(folder, split, "labels");
        if (images.Length < 16 || BinaryPrimitives.ReadInt32BigEndian(images) != 0x803)
            throw new DataException($"{imageFile} is not an IDX file of pictures (its first four bytes are not 00 00 08 03)");
        if (labels.Length < 8 || BinaryPrimitives.ReadInt32BigEndian(labels) != 0x801)
            throw new DataException($"{labelFile} is not an IDX file of labels (its first four bytes are not 00 00 08 01)");
        int count = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(4));
        int height = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(8));
        int width = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(12));
        if (count < 1 || height < 1 || width < 1)
            throw new DataException($"{imageFile} promises {count} pictures of {width}x{height}; an IDX data set has a picture or more of a pixel or more; fetch it again");
        if (images.Length - 16 != (Int128)count * height * width || labels.Length - 8 != count)
            throw new DataException($"{imageFile} promises {count} pictures of {width}x{height}, but the files hold {images.Length - 16} and {labels.Length - 8} bytes; fetch them again");
        return new(images[16..], labels[8..], height, width, labelFile);
    }

    /// <summary>Files of a folder that are named like IDX files; the last 10,000 pictures of MNIST are its test split.</summary>
    private static IEnumerable<(string Path, string Prefix, string Split, string Kind)> Files(string folder) =>
        from path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
        let match = Named().Match(System.IO.Path.GetFileName(path))
        where match.Success
        select (path, match.Groups["prefix"].Value, match.Groups["split"].Value.ToLowerInvariant() is "train" ? "train" : "t10k", match.Groups["kind"].Value.ToLowerInvariant());

    [GeneratedRegex("^(?<prefix>.*?)(?<split>train|t10k|test)[-_.](?<kind>images|labels)[-_.]idx[13][-_.]ubyte(\\.gz)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    private static (byte[] Bytes, string File) Read(string folder, string split, string kind)
    {
        string name = $"{split}-{kind}-idx{(kind == "images" ? 3 : 1)}-ubyte";
        if (!Directory.Exists(folder))
            throw new DataException($"{folder} is missing; an IDX data set is a folder with {name}[.gz] and three files more");
        (string Path, string Prefix, string Split, string Kind)[] all = [.. Files(folder)];
        if (all.Where(f => f.Prefix.Length == 0).ToArray() is { Length: > 0 } plain)
            all = plain; // The usual four, whatever lies beside them.
        if (all.Select(f => f.Prefix).Distinct(StringComparer.Ordinal).ToArray() is { Length: > 1 } prefixes)
            throw new DataException($"{folder} holds {prefixes.Length} data sets ({string.Join(", ", prefixes.Select(p => p.Length == 0 ? "train-..." : $"{p}..."))}); put the four files of one of them into a folder of their own");
        string? file = all.Where(f => f.Split == split && f.Kind == kind).Select(f => f.Path).FirstOrDefault();
        if (file is null)
            throw new DataException($"{System.IO.Path.Combine(folder, name)}[.gz] is missing; an IDX data set has train- and t10k- images and labels");
        try
        {
            using Stream stream = file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(File.OpenRead(file), CompressionMode.Decompress) : File.OpenRead(file);
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

/// <summary>CIFAR-10 and CIFAR-100 in their binary form: data_batch_1.bin ... test_batch.bin, or train.bin and test.bin.</summary>
public sealed class CifarSource : ImageSource
{
    private const int Side = 32;
    private const int PixelBytes = 3 * Side * Side;

    private readonly byte[] bytes;
    private readonly int header;
    private readonly Digest fingerprint;

    public CifarSource(string folder)
        : this(folder, File.Exists(System.IO.Path.Combine(folder, "train.bin")))
    {
    }

    private CifarSource(string folder, bool hundred)
        : base(hundred ? "cifar-100" : "cifar-10", Enumerable.Range(0, hundred ? 100 : 10).Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToValueList())
    {
        header = hundred ? 2 : 1;
        string[] trainFiles = hundred ? ["train.bin"] : [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")];
        byte[][] parts = [.. trainFiles.Append(hundred ? "test.bin" : "test_batch.bin").Select(f => Read(folder, f, header + PixelBytes))];
        bytes = [.. parts.SelectMany(p => p)];
        int trainBytes = parts.Take(trainFiles.Length).Sum(p => p.Length);
        Train = Entries(0, trainBytes, "train");
        Test = Entries(trainBytes, bytes.Length, "test");
        fingerprint = Digest.Of($"cifar {Digest.Of(bytes)}");
    }

    public override Digest Fingerprint => fingerprint;

    public override void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size)
    {
        ReadOnlySpan<byte> planar = bytes.AsSpan(checked((int)entry.Offset) + header, PixelBytes);
        Span<byte> interleaved = stackalloc byte[PixelBytes];
        for (int i = 0; i < Side * Side; i++)
        {
            for (int c = 0; c < 3; c++)
                interleaved[(i * 3) + c] = planar[(c * Side * Side) + i];
        }

        Pixels.Resize(interleaved, (Side, Side, 3), pixels, channels, size);
    }

    private static byte[] Read(string folder, string name, int record)
    {
        string file = System.IO.Path.Combine(folder, name);
        if (!File.Exists(file))
            throw new DataException($"{file} is missing; CIFAR in binary form has data_batch_1.bin to data_batch_5.bin and test_batch.bin (or train.bin and test.bin)");
        byte[] content;
        try
        {
            content = File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{file} cannot be read ({e.Message}); fetch it again", e);
        }

        return content.Length > 0 && content.Length % record == 0
            ? content
            : throw new DataException($"{file} has {content.Length} bytes, not a multiple of {record}; fetch it again");
    }

    private List<ImageEntry> Entries(int from, int to, string split)
    {
        List<ImageEntry> entries = [];
        for (int at = from; at < to; at += header + PixelBytes)
        {
            int label = bytes[at + header - 1];
            if (label >= Classes.Count)
                throw new DataException($"{Name}: label {label} at byte {at - from} of the {split} files, but there are {Classes.Count} classes; fetch them again");
            entries.Add(new ImageEntry(label, $"{split}[{(at - from) / (header + PixelBytes)}]", at));
        }

        return entries;
    }
}
