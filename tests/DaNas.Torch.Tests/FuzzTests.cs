using System.IO.Compression;
using System.Text;
using System.Text.Json;
using CsCheck;
using DaNas.Actors.Wire;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Evidence;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Configuration.Hocon;
using DaNas.Runtime.Experiments;
using DaNas.Simulation.Engines;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using SkiaSharp;

namespace DaNas.Torch.Tests;

/// <summary>
/// Every reader over bytes that were changed, cut and spliced: it reads them, or refuses them by the exception that it documents. CsCheck
/// prints the seed of a failure and shrinks it; CsCheck_Time=600 runs each for ten minutes, CsCheck_Seed runs one again.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private const int Rounds = 300;
    private readonly string folder = Directory.CreateTempSubdirectory("danas-fuzz-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    [InlineData(SKEncodedImageFormat.Gif)]
    [InlineData(SKEncodedImageFormat.Bmp)]
    public void Images(SKEncodedImageFormat form) => Changed(Image(form))
        .Sample(bytes => Refuses<DataException>(() => ImageCodec.Decode(bytes, "x", upright: true)), iter: Rounds);

    [Theory]
    [InlineData("")]
    [InlineData(".gz")]
    public void Idx_files(string packed)
    {
        byte[] images = Packed([0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 2, .. new byte[24]]),
            labels = Packed([0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2]);
        Gen.Select(Changed(images), Changed(labels), Changed(labels)).Sample(
            (i, l, t) =>
            {
                foreach ((string name, byte[] bytes) in ((string, byte[])[])[("train-images-idx3-ubyte", i), ("train-labels-idx1-ubyte", l),
                    ("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", t)])
                    File.WriteAllBytes(Path.Combine(folder, name + packed), bytes);
                Refuses<DataException>(() => All(new IdxSource(folder)));
            },
            iter: Rounds,
            threads: 1);

        byte[] Packed(byte[] file)
        {
            using MemoryStream stream = new();
            using (Stream into = packed.Length > 0 ? new GZipStream(stream, CompressionLevel.Fastest) : stream)
                into.Write(file);
            return stream.ToArray();
        }
    }

    [Fact]
    public void Cifar_files()
    {
        byte[] record = [1, .. new byte[3072]];
        Changed([.. record, .. record]).Sample(
            bytes =>
            {
                foreach (string name in (string[])["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                    "data_batch_5.bin", "test_batch.bin"])
                    File.WriteAllBytes(Path.Combine(folder, name), name[0] == 't' ? record : bytes);
                Refuses<DataException>(() => All(new CifarSource(folder)));
            },
            iter: Rounds / 5,
            threads: 1);
    }

    [Fact]
    public void Catalogues()
    {
        string file = Path.Combine(folder, "list.tsv");
        Changed("train\ta\tx/1.png\ntrain\tb\tx/2.png\ntest\ta\ty.png\ntest\tb\t\"z, z\".png\n"u8.ToArray()).Sample(
            bytes =>
            {
                File.WriteAllBytes(file, bytes);
                Refuses<DataException>(() => _ = new CatalogueSource(file));
            },
            iter: Rounds,
            threads: 1);
    }

    [Fact]
    public void Hocon_and_the_configuration_that_it_holds()
    {
        byte[] text = File.ReadAllBytes(Path.Combine(ConfigLoader.Home, "reference.conf")),
            space = File.ReadAllBytes(Path.Combine(ConfigLoader.Home, "spaces", "cpu-base.conf"));
        Changed([.. text, .. space, .. "\na = ${b} [1]\nb = ${?a}\nc += ${search.seed}\n"u8]).Sample(
            bytes => Refuses<HoconException>(() => SearchConfig.Validate(
                HoconResolver.Resolve(HoconParser.Parse(Encoding.UTF8.GetString(bytes), "x.conf", (_, _) => null)))),
            iter: Rounds);
    }

    [Fact]
    public void Latency_tables()
    {
        SearchSpace space = LatencyFiles.SpaceOf("cpu-base", 10);
        string[] blocks = [.. space.Layers.SelectMany(l => l.Candidates).Select(b => b.Name).Distinct()];
        string names = string.Join(',', blocks.Select((b, i) => $"\"{i}\":\"{b}\"")),
            rows = string.Join(',', space.Layers.Select(_ => $"[{string.Join(',', blocks.Select((_, i) => i - 1))}]"));
        byte[] differences =
            Encoding.UTF8.GetBytes($"{{\"devices\":{{\"pixel1\":{{\"base_ms\":1.5,\"delta_ms\":[{rows}]}}}},\"op_names\":{{{names}}}}}");
        IEnumerable<string> keys = space.Layers.SelectMany(l => l.Candidates.Where(b => !b.IsSkip).Select(b => LatencyFiles.Key(l, b)));
        string entries = string.Join(',', keys.Distinct().Select(k => $"\"{k}\":{{\"mean\":2.5}}"));
        byte[] means = Encoding.UTF8.GetBytes($"{{\"Conv\":{{\"mean\":1.25}},{entries}}}");
        string file = Path.Combine(folder, "table.json"), to = Path.Combine(folder, "to.json");
        foreach (byte[] whole in (byte[][])[differences, means])
        {
            File.WriteAllBytes(file, whole);
            LatencyFiles.Import(file, space, "pixel1", to);
        }

        Gen.Bool.SelectMany(b => Changed(b ? differences : means)).Sample(
            bytes =>
            {
                File.WriteAllBytes(file, bytes);
                Refuses<UsageException>(() => LatencyFiles.Import(file, space, "pixel1", to));
            },
            iter: Rounds,
            threads: 1);
    }

    [Fact]
    public void Checkpoints()
    {
        byte[] whole = Safetensors.Write(new Dictionary<string, HostTensor>
        {
            ["b"] = HostTensor.Of([1f, 2f, 3f, 4f], 2, 2),
            ["a"] = HostTensor.Of([0.5, -1.0])
        }, new Dictionary<string, string> { ["k"] = "v" });
        Changed(whole).Sample(bytes => Refuses<DataException>(() => Safetensors.Read(bytes)), iter: Rounds);
    }

    [Fact]
    public void Tables_of_trained_architectures()
    {
        string file = Path.Combine(folder, "table");
        byte[] macro = """{"02012100":{"test_acc":[90.5,91,91.5]},"02012101":{"test_acc":[90,91,92]}}"""u8.ToArray();
        byte[] cells = "arch_str,cifar10_valid,cifar10_test\n|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|,80,81\n"u8.ToArray();
        byte[] probe = JsonSerializer.SerializeToUtf8Bytes(ProbeReport.Of("x", 0.1, 1, [new("a", 10, 5, [0.5, 0.6], null),
            new("b", 20, 6, [0.7, 0.6], null), new("c", 30, 7, [0.8, 0.7], null)], 1), DomainJson.Stored);
        File.WriteAllBytes(file, probe);
        ProbeTable.Read(file).Wrong.ShouldBeNull();
        foreach (byte[] part in (byte[][])[macro, cells])
        {
            File.WriteAllBytes(file, part);
            // Rows are read; a whole table would be too long to change.
            Should.Throw<DataException>(() => ArchitectureTable.Read(file, TableDataset.Cifar10)).Message
                .ShouldContain("architectures are missing");
        }

        Gen.Int[0, 2].SelectMany(k => Changed(k == 0 ? macro : k == 1 ? cells : probe)).Sample(
            bytes =>
            {
                File.WriteAllBytes(file, bytes);
                Refuses<DataException>(() => ArchitectureTable.Read(file, TableDataset.Cifar10));
                _ = ProbeTable.Read(file);
            },
            iter: Rounds,
            threads: 1);
    }

    [Fact]
    public void Sealed_journal_rows()
    {
        string before = Envelope.Genesis("search-x");
        RowHead head = new(1, 638_000_000_000_000_000, "stage-extended/1");
        byte[] row = Envelope.Seal(before, head, 3, Extended.ToArray(), withTime: true).Bytes;
        Envelope.Open(before, head, row).Epoch.ShouldBe(3);
        Changed(row).Sample(
            bytes =>
            {
                Refuses<InvalidDataException>(() => Envelope.Open(before, head, bytes));
                Refuses<InvalidDataException>(() => Envelope.PayloadOf(bytes));
                _ = Envelope.EpochOf(bytes);
            },
            iter: 10 * Rounds);
    }

    /// <summary>Golden messages and events of all versions, each under its own manifest and under another one's.</summary>
    [Fact]
    public void Journal_rows_and_wire_messages()
    {
        (string Manifest, byte[] Payload)[] golden = [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "golden"),
            "wire.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal).SelectMany(File.ReadLines).Select(l => l.Split(
            ' ', 2)).Where(p => p.Length == 2 && WireFormat.AllManifests.Contains(p[0])).Select(p => (p[0], Encoding.UTF8.GetBytes(p[1])))];
        golden.Length.ShouldBeGreaterThan(50);
        Gen.Select(Gen.Int[0, golden.Length - 1], Gen.Int[0, golden.Length - 1], Gen.Bool)
            .SelectMany(g => Changed(golden[g.Item1].Payload).Select(bytes => (golden[g.Item3 ? g.Item1 : g.Item2].Manifest, bytes)))
            .Sample(m => Refuses<InvalidDataException>(() => WireFormat.Read(m.Manifest, m.bytes)), iter: 10 * Rounds);
    }

    /// <summary>Up to six changes: a byte set, a stretch removed, doubled or filled.</summary>
    private static ReadOnlySpan<byte> Extended =>
        """{"plan":{"index":7,"isWarmup":true,"classes":[7,7],"imageShare":0.1,"rounds":7,"firstRound":7"""u8 +
        ""","prunesAtEnd":true},"sure":7,"asked":7}"""u8;

    private static Gen<byte[]> Changed(byte[] whole) => Gen.Select(
        Gen.Int[0, 3], Gen.Int[0, Math.Max(0, whole.Length - 1)], Gen.Int[0, 40], Gen.Byte).Array[0, 6].Select(changes =>
    {
        List<byte> bytes = [.. whole];
        foreach ((int kind, int place, int length, byte value) in changes)
        {
            int at = Math.Min(place, bytes.Count), count = Math.Min(length, bytes.Count - at);
            switch (kind)
            {
                case 0 when at < bytes.Count:
                    bytes[at] = value;
                    break;
                case 1:
                    bytes.RemoveRange(at, count);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
                default:
                    for (int i = at; i < at + count; i++)
                        bytes[i] = value;
                    break;
            }
        }

        return bytes.ToArray();
    });

    private static void Refuses<T>(Action read)
        where T : Exception
    {
        try
        {
            read();
        }
        catch (T)
        {
            // The documented way to say no.
        }
    }

    private static void All(ImageSource source)
    {
        byte[] pixels = new byte[3 * 4 * 4];
        foreach (ImageEntry entry in source.Train.Concat(source.Test))
            source.Decode(entry, pixels, 3, 4);
    }

    private static byte[] Image(SKEncodedImageFormat form)
    {
        if (form == SKEncodedImageFormat.Gif)
            return Convert.FromBase64String("R0lGODlhAQABAIAAAAoUHshkMiwAAAAAAQABAAACAkQBACwAAAAAAQABAAACAkwBADs=");
        if (form == SKEncodedImageFormat.Bmp)
            return [.. "BM"u8, 62, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0, .. new byte[24], 50,
                0, 200, 50, 100, 200, 0, 0];
        using SKBitmap bitmap = new(24, 24);
        for (int i = 0; i < 24 * 24; i++)
            bitmap.SetPixel(i % 24, i / 24, new SKColor((byte)i, (byte)(i * 7), (byte)(i * 31)));
        using SKData data = bitmap.Encode(form, 90)!;
        return data.ToArray();
    }
}
