using DaNas.Domain.Ports;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

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
        : base(hundred ? "cifar-100" : "cifar-10", Enumerable.Range(0, hundred ? 100 : 10)
            .Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToValueList())
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
            throw new DataException($"{file} is missing; CIFAR in binary format has data_batch_1.bin to data_batch_5.bin and " +
                $"test_batch.bin (or train.bin and test.bin)");
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
                throw new DataException($"{Name}: label {label} at byte {at - from} of the {split} files, but there are {Classes.Count} " +
                    $"classes; fetch them again");
            entries.Add(new ImageEntry(label, $"{split}[{(at - from) / (header + PixelBytes)}]", at));
        }

        return entries;
    }
}
