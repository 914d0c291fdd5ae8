using System.Buffers.Binary;
using System.IO.Compression;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Stages;
using DaNas.Runtime.Configuration;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;

namespace DaNas.Torch.Tests;

public sealed class DataTests : IDisposable
{
    private const string OnePixelPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    private readonly string folder = Directory.CreateTempSubdirectory("danas-data-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void An_ImageFolder_is_listed_split_and_decoded()
    {
        Pngs("train", 10);
        Pngs("test", 3);
        SearchConfig config = Config();
        DatasetSummary summary = new DatasetCatalog().Describe(config);
        summary.Classes.ShouldBe(["cat", "dog"]);
        (summary.Weights[0] + summary.Validation[0]).ShouldBe(10);
        summary.Test.ShouldBe([3, 3]);
        ImageSet images = new(config, 3, 8);
        byte[] pixels = images.Load(images.Splits.Weights[0][0]);
        pixels.Length.ShouldBe(3 * 8 * 8);
        images.Splits.Weights[0].Select(e => e.Name).Intersect(images.Splits.Validation[0].Select(e => e.Name)).ShouldBeEmpty();
    }

    [Fact]
    public void A_folder_without_a_test_split_gets_one_and_the_splits_depend_on_the_seed_alone()
    {
        Pngs(string.Empty, 20);
        DatasetSplits a = DatasetSplits.Of(new FolderSource(folder), Config());
        DatasetSplits b = DatasetSplits.Of(new FolderSource(folder), Config());
        DatasetSplits other = DatasetSplits.Of(new FolderSource(folder), Config("data.split-seed=9"));
        a.Test[0].Length.ShouldBe(3);
        a.Weights[1].ShouldBe(b.Weights[1]);
        a.Weights[1].ShouldNotBe(other.Weights[1]);
    }

    [Fact]
    public void A_broken_picture_is_an_error_with_its_name_or_is_left_out_as_configured()
    {
        Pngs("train", 6);
        Pngs("test", 2);
        string broken = Path.Combine(folder, "train", "cat", "2.png");
        File.WriteAllBytes(broken, File.ReadAllBytes(broken)[..40]);
        ImageSet strict = new(Config(), 3, 8);
        ImageEntry entry = strict.Splits.Weights[0].Concat(strict.Splits.Validation[0])
            .First(e => e.Name.EndsWith("cat/2.png", StringComparison.Ordinal));
        Should.Throw<DataException>(() => strict.Load(entry)).Message.ShouldContain(broken);
        ImageSet lenient = new(Config("data.on-bad-image=skip"), 3, 8);
        lenient.Load(entry).Length.ShouldBe(192);
        lenient.Broken.ShouldBe([entry.Name]);
        lenient.Readable([entry]).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("empty-class")]
    [InlineData("one-class")]
    [InlineData("missing-test-class")]
    [InlineData("no-folder")]
    public void A_data_set_with_a_hole_is_refused_with_the_folders_name(string hole)
    {
        Pngs("train", 4);
        Pngs("test", 2);
        string named = folder;
        switch (hole)
        {
            case "empty-class":
                named = Directory.CreateDirectory(Path.Combine(folder, "train", "empty")).FullName;
                break;
            case "one-class":
                Directory.Delete(Path.Combine(folder, "train", "dog"), true);
                break;
            case "missing-test-class":
                Directory.Delete(named = Path.Combine(folder, "test", "dog"), true);
                break;
            case "no-folder":
                Directory.Delete(folder, true);
                break;
        }

        Should.Throw<DataException>(() => new FolderSource(folder)).Message.ShouldContain(named);
        Directory.CreateDirectory(folder);
    }

    [Fact]
    public void Idx_files_are_read_gzipped_or_not_and_a_short_one_is_refused()
    {
        Idx("train", 12, gzip: true);
        Idx("t10k", 4, gzip: false);
        IdxSource source = new(folder);
        source.Train.Count.ShouldBe(12);
        byte[] pixels = new byte[16];
        source.Decode(source.Train[5], pixels, 1, 4);
        pixels.ShouldAllBe(p => p == 5);
        string labels = Path.Combine(folder, "t10k-labels-idx1-ubyte");
        File.WriteAllBytes(labels, File.ReadAllBytes(labels)[..9]);
        Should.Throw<DataException>(() => new IdxSource(folder)).Message.ShouldContain("t10k-images");
    }

    [Fact]
    public void Cifar_binary_files_are_read()
    {
        foreach (string name in new[] { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
            "data_batch_5.bin", "test_batch.bin" })
            File.WriteAllBytes(Path.Combine(folder, name), [.. Enumerable.Range(0, 20)
                .SelectMany(i => (byte[])[(byte)(i % 10), .. Enumerable.Repeat((byte)i, 3072)])]);
        CifarSource source = new(folder);
        source.Train.Count.ShouldBe(100);
        byte[] pixels = new byte[3 * 32 * 32];
        source.Decode(source.Test[7], pixels, 3, 32);
        pixels.ShouldAllBe(p => p == 7);
        source.Test[7].Class.ShouldBe(7);
    }

    [Fact]
    public void Batches_are_a_function_of_seed_and_index_and_prefetching_changes_nothing()
    {
        Pngs("train", 10);
        Pngs("test", 2);
        ImageSet images = new(Config(), 3, 8);
        BatchStream stream = new(images, images.Splits.Weights[0], 5, new BatchShape(4, 3, true), new AugmentOptions(2, true, 3));
        HostBatch direct = stream.At(3);
        HostBatch ahead = stream.Prefetch([1, 2, 3], 2).Last();
        ahead.Pixels.ShouldBe(direct.Pixels);
        stream.At(2).Pixels.ShouldNotBe(direct.Pixels);
    }

    [Fact]
    public void Resizing_keeps_a_flat_picture_flat_and_averages_areas()
    {
        byte[] target = new byte[4];
        Pixels.Resize([0, 100, 200, 40, 60, 80, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8], (4, 4, 1), target, 1, 2);
        target.ShouldBe((byte[])[60, 60, 4, 4]);
        byte[] grown = new byte[36];
        Pixels.Resize([7, 7, 7, 7], (2, 2, 1), grown, 1, 6);
        grown.ShouldAllBe(p => p == 7);
    }

    [Fact]
    public void Safetensors_round_trip_and_equal_content_gives_equal_bytes()
    {
        Dictionary<string, HostTensor> tensors = new()
        {
            ["b"] = HostTensor.Of([1f, 2f, 3f, 4f], 2, 2),
            ["a"] = HostTensor.Of([0.5, -1.0])
        };
        byte[] bytes = Safetensors.Write(tensors, new Dictionary<string, string> { ["k"] = "v" });
        (Dictionary<string, HostTensor> read, Dictionary<string, string> metadata) = Safetensors.Read(bytes);
        read["b"].Floats.ToArray().ShouldBe([1f, 2f, 3f, 4f]);
        read["a"].Doubles.ToArray().ShouldBe([0.5, -1.0]);
        metadata["k"].ShouldBe("v");
        Safetensors.Write(read, metadata).ShouldBe(bytes);
        Should.Throw<DataException>(() => Safetensors.Read(bytes[..20]));
    }

    /// <summary>Headers that are JSON and describe no tensor of their bytes; a fuzz of ten minutes found the first.</summary>
    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4e0]}}""", "not a safetensors file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "a of F32 [2] does not fill the bytes 0 to 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}""", "a of F32 [-1, -1] does not fill the bytes 0 to 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-8,-4]}}""", "a of F32 [1] does not fill the bytes -8 to -4")]
    [InlineData("""{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}""", "a is of F16; this product writes F32 and F64")]
    [InlineData("""{"a":{"dtype":null,"shape":[1],"data_offsets":[0,4]}}""", "a has no dtype")]
    [InlineData("""{"__metadata__":{"k":null}}""", "__metadata__ k has no text")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
        "Duplicate property 'a'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", "not a safetensors file")]
    public void A_safetensors_header_that_does_not_fit_its_bytes_is_refused(string header, string said)
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(header), length = BitConverter.GetBytes((long)text.Length);
        Should.Throw<DataException>(() => Safetensors.Read([.. length, .. text, 0, 0, 128, 63])).Message.ShouldContain(said);
    }

    private SearchConfig Config(params string[] sets) => ConfigLoader.Load("drawn-12", sets, folder);

    private void Pngs(string split, int each)
    {
        foreach (string c in new[] { "cat", "dog" })
        {
            string target = Directory.CreateDirectory(Path.Combine(folder, split, c)).FullName;
            for (int i = 0; i < each; i++)
                File.WriteAllBytes(Path.Combine(target, $"{i}.png"), Convert.FromBase64String(OnePixelPng));
        }
    }

    private void Idx(string split, int count, bool gzip)
    {
        byte[] images = new byte[16 + (count * 16)];
        BinaryPrimitives.WriteInt32BigEndian(images, 0x803);
        BinaryPrimitives.WriteInt32BigEndian(images.AsSpan(4), count);
        BinaryPrimitives.WriteInt32BigEndian(images.AsSpan(8), 4);
        BinaryPrimitives.WriteInt32BigEndian(images.AsSpan(12), 4);
        for (int i = 0; i < count * 16; i++)
            images[16 + i] = (byte)(i / 16);
        byte[] labels = new byte[8 + count];
        BinaryPrimitives.WriteInt32BigEndian(labels, 0x801);
        BinaryPrimitives.WriteInt32BigEndian(labels.AsSpan(4), count);
        for (int i = 0; i < count; i++)
            labels[8 + i] = (byte)(i % 4);
        Write($"{split}-images-idx3-ubyte", images);
        Write($"{split}-labels-idx1-ubyte", labels);

        void Write(string name, byte[] bytes)
        {
            using Stream stream = gzip ? new GZipStream(File.Create(Path.Combine(folder, name + ".gz")), CompressionLevel.Fastest)
                : File.Create(Path.Combine(folder, name));
            stream.Write(bytes);
        }
    }
}
