using System.Buffers.Binary;
using System.IO.Compression;
using DaNas.Domain.Values;
using DaNas.Ports;

namespace DaNas.Torch.Data;

/// <summary>IDX files (MNIST, Fashion-MNIST, EMNIST), gzipped or not: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-...</summary>
public sealed class IdxSource : ImageSource
{
    private readonly byte[] trainPixels;
    private readonly byte[] testPixels;
    private readonly int width;
    private readonly int height;
    private readonly Digest fingerprint;

    public IdxSource(string folder)
        : this(folder, Load(folder, "train"), Load(folder, "t10k"))
    {
    }

    private IdxSource(string folder, (byte[] Pixels, byte[] Labels, int Height, int Width) train, (byte[] Pixels, byte[] Labels, int Height, int Width) test)
        : base(System.IO.Path.GetFileName(folder.TrimEnd('/')), ClassNames(train.Labels))
    {
        if (train.Height != test.Height || train.Width != test.Width)
            throw new DataException($"{folder}: train pictures are {train.Width}x{train.Height}, test pictures {test.Width}x{test.Height}; they must be of one size");
        (trainPixels, testPixels, height, width) = (train.Pixels, test.Pixels, train.Height, train.Width);
        Train = Entries(train.Labels, "train", 0);
        Test = Entries(test.Labels, "t10k", 1);
        fingerprint = Digest.Of($"idx {Digest.Of(train.Pixels)} {Digest.Of(train.Labels)} {Digest.Of(test.Pixels)} {Digest.Of(test.Labels)}");
    }

    public override Digest Fingerprint => fingerprint;

    public override void Decode(ImageEntry entry, Span<byte> pixels, int channels, int size)
    {
        byte[] all = (entry.Offset & 1) == 0 ? trainPixels : testPixels;
        long index = entry.Offset >> 1;
        Pixels.Resize(all.AsSpan(checked((int)(index * width * height)), width * height), (width, height, 1), pixels, channels, size);
    }

    private static List<ImageEntry> Entries(byte[] labels, string split, int bit) =>
        [.. labels.Select((label, i) => new ImageEntry(label, $"{split}[{i}]", ((long)i << 1) | (uint)bit))];

    private static ValueList<string> ClassNames(byte[] labels) =>
        Enumerable.Range(0, labels.Max() + 1).Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToValueList();

    private static (byte[] Pixels, byte[] Labels, int Height, int Width) Load(string folder, string split)
    {
        (byte[] images, string imageFile) = Read(folder, $"{split}-images-idx3-ubyte");
        (byte[] labels, string labelFile) = Read(folder, $"{split}-labels-idx1-ubyte");
        if (images.Length < 16 || BinaryPrimitives.ReadInt32BigEndian(images) != 0x803)
            throw new DataException($"{imageFile} is not an IDX file of pictures (its first four bytes are not 00 00 08 03)");
        if (labels.Length < 8 || BinaryPrimitives.ReadInt32BigEndian(labels) != 0x801)
            throw new DataException($"{labelFile} is not an IDX file of labels (its first four bytes are not 00 00 08 01)");
        int count = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(4));
        int height = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(8));
        int width = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(12));
        if (images.Length != 16 + ((long)count * height * width) || labels.Length != 8 + count)
            throw new DataException($"{imageFile} promises {count} pictures of {width}x{height}, but the files hold {images.Length - 16} and {labels.Length - 8} bytes; fetch them again");
        return (images[16..], labels[8..], height, width);
    }

    private static (byte[] Bytes, string File) Read(string folder, string name)
    {
        foreach (string file in new[] { System.IO.Path.Combine(folder, name), System.IO.Path.Combine(folder, name + ".gz") })
        {
            if (!File.Exists(file))
                continue;
            try
            {
                using Stream stream = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(File.OpenRead(file), CompressionMode.Decompress) : File.OpenRead(file);
                using MemoryStream memory = new();
                stream.CopyTo(memory);
                return (memory.ToArray(), file);
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                throw new DataException($"{file} cannot be read ({e.Message}); fetch it again", e);
            }
        }

        throw new DataException($"{System.IO.Path.Combine(folder, name)}[.gz] is missing; an IDX data set has train- and t10k- images and labels");
    }
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
        byte[] content = File.ReadAllBytes(file);
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
