// Shapes: N images, C channels, H height, W width.
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch;

/// <summary>What all units of one search share in a trainer: configuration, space, data, device, layout.</summary>
public sealed class EngineSession
{
    public EngineSession(EngineContext context, IBlobStore blobs)
    {
        Config = context.Config;
        Blobs = blobs;
        Space = Config.SpaceFor(context.Data.Classes.Count);
        Costs = CostTable.Of(Space);
        Images = new ImageSet(Config, Space.InputChannels, Space.Resolution);
        if (Images.Fingerprint != context.Data.Fingerprint)
            throw new DataException($"{Config.Data.Path}: the data set is not the one that the search started with (fingerprint " +
                $"{Images.Fingerprint.Short}, expected {context.Data.Fingerprint.Short}); restore the original data, " +
                $"or start a new search");
        Device = device(Config.Trainers.Device);
        Data = context.Data;
    }

    public SearchConfig Config { get; }

    public DatasetSummary Data { get; }

    public IBlobStore Blobs { get; }

    public SearchSpace Space { get; }

    public CostTable Costs { get; }

    public ImageSet Images { get; }

    public Device Device { get; }

    public BatchShape Shape(int size) => new(size, Space.InputChannels, Config.Trainers.Layout == TensorLayout.ChannelsLast);

    /// <summary>A batch as tensors: [N, C, H, W] in the configured layout, and labels [N].</summary>
    public (Tensor X_NCHW, Tensor Labels) ToTensors(HostBatch batch)
    {
        long n = batch.Labels.Length;
        Tensor labels = tensor(batch.Labels, device: Device);
        if (Config.Trainers.Layout == TensorLayout.Default)
            return (tensor(batch.Pixels, [n, Space.InputChannels, Space.Resolution, Space.Resolution], device: Device), labels);
        Tensor x_NHWC = tensor(batch.Pixels, [n, Space.Resolution, Space.Resolution, Space.InputChannels], device: Device);
        return (x_NHWC.permute(0, 3, 1, 2), labels);
    }

    /// <summary>A fresh network; weights from the seed, or zeros where a checkpoint will fill them.</summary>
    public ChainNetwork Build(AliveBlocks alive, long? seed)
    {
        using DisposeScope scope = NewDisposeScope();
        return new ChainNetwork(Space, alive, new NetworkSetup(seed is { } s ? new SeededRandom(s) : null, Device, new NormMode()));
    }

    public static AliveBlocks OnlyOf(IReadOnlyList<string> path) => new(path.Select(b => (ValueList<string>)[b]).ToValueList());

    public long MacsOf(IReadOnlyList<string> path) => Costs.Fixed.Macs + path.Select((b, l) => Costs.Of(l, b).Macs).Sum();

    /// <summary>Cosine from the first rate to 0 (Loshchilov and Hutter 2017) at a step of a number of steps; or constant.</summary>
    public static double Cosine(double rate, long step, long total) => 0.5 * rate * (1 + Math.Cos(Math.PI * step / Math.Max(1, total)));

    /// <summary>What bit-identical results depend on, as one line.</summary>
    public static string ProfileOf(SearchConfig config)
    {
        string device = config.Trainers.Device == "cpu" ? $"cpu {CpuModel()}" : $"cuda {CudaModel(config.Trainers.Device)}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{TorchBinding.Description}; {device}; threads {config.Trainers.Threads}; " +
                $"{ConfigSection.Kebab(config.Trainers.Layout.ToString())}; images {ImageCodec.Version}");
    }

    /// <summary>The device and its threads, of which a latency is.</summary>
    public static string ProfileOf(string device, int threads) =>
        Invariant($"{(device == "cpu" ? CpuModel() : CudaModel(device))}, {threads} thread(s)");

    /// <summary>Name and compute capability: other models round differently.</summary>
    private static string CudaModel(string device)
    {
        string visible = Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES")?.Split(',')[0].Trim() ?? string.Empty;
        string index = visible.Length > 0 ? visible : device.Contains(':', StringComparison.Ordinal)
            ? device[(device.IndexOf(':', StringComparison.Ordinal) + 1)..] : "0";
        try
        {
            using Process asked = Process.Start(new ProcessStartInfo("nvidia-smi", ["--query-gpu=name,compute_cap", "--format=csv,noheader",
                "-i", index])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string model = asked.StandardOutput.ReadToEnd().Trim();
            return asked.WaitForExit(TimeSpan.FromSeconds(10)) && asked.ExitCode == 0 && model.Length > 0 ? model : "of unknown model";
        }
        catch (Win32Exception)
        {
            return "of unknown model"; // No nvidia-smi here.
        }
    }

    private static string CpuModel()
    {
        const string file = "/proc/cpuinfo";
        if (!File.Exists(file))
            return System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();
        string[] lines = File.ReadAllLines(file);
        string model = lines.FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[^1].Trim() ?? "unknown";
        string flags = lines.FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal)) ?? string.Empty;
        return $"{model} {(flags.Contains(" avx512f", StringComparison.Ordinal) ? "avx512" : flags.Contains(
            " avx2", StringComparison.Ordinal) ? "avx2" : "sse")}";
    }
}
