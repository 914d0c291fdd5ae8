using System.Text;
using System.Text.Json;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Reports.Export;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Training;

namespace DaNas.Reports;

/// <summary>A model of a search: which training, its architecture, its weights and its accuracy where it was retrained.</summary>
internal sealed record ExportedModel(string Run, Architecture Architecture, BlobRef? Weights, double? TestAccuracy);

/// <summary>What an export writes: formats, folded batch norm, how many samples, and where the data set is now.</summary>
internal sealed record ExportRequest(IReadOnlyList<string> Formats, bool Fold, int Samples, string? Data);

/// <summary>A search's model as files that other programs read.</summary>
internal static class ModelExport
{
    /// <summary>The format that needs no retrained model.</summary>
    public const string ArchitectureOnly = "architecture";

    public static IReadOnlyList<string> Formats { get; } = [ArchitectureOnly, "onnx", "safetensors", "pytorch", "csharp"];

    /// <summary>Writes the files of the request into a folder; their names.</summary>
    public static IReadOnlyList<string> Write(string target, SearchRecord record, OutputFolder folder,
        ExportedModel source, ExportRequest request)
    {
        List<string> files =
        [
            Write(target, "architecture.json", ResultFiles.ArchitectureJson(
                record.State, source.Architecture, SearchReport.Of(record, folder))),
            Write(target, "architecture.txt", ResultFiles.ArchitectureText(record.State.Space!, source.Architecture)),
        ];
        if (source.Weights is not { } blob)
            return files;
        byte[] weights = folder.OpenBlobs(record.Id).Get(blob);
        TrainedModel found = TrainedModel.Read(weights, record.State.Space!, source.Architecture, record.State.Started!.Data.Classes,
            Provenance(record, source, blob));
        if (request.Formats.Contains("onnx"))
            files.Add(Write(target, "model.onnx", OnnxWriter.Write(found, request.Fold)));
        if (request.Formats.Intersect(["safetensors", "pytorch", "csharp"]).Any())
            files.Add(Write(target, "model.safetensors", SourceWriter.Weights(found)));
        if (request.Formats.Contains("pytorch"))
            files.Add(Write(target, "model.py", SourceWriter.Python(found)));
        if (request.Formats.Contains("csharp"))
            files.Add(Write(target, "Model.cs", SourceWriter.CSharp(found)));
        if (request.Samples > 0)
            files.Add(Write(target, "samples.safetensors", Samples(record, weights, source.Architecture, request)));
        return files;
    }

    /// <summary>The architecture that was chosen, whether it is retrained or not.</summary>
    public static ExportedModel Chosen(SearchRecord record) => record.State.Selected is { } selected
        ? new(RetrainPlan.Winner, selected.Winner, null, null)
        : throw new UsageException($"search {record.Id} has not chosen an architecture yet ({SearchRecord.NameOf(record.State.Phase)}); " +
            $"resume it with '{ThisProgram.Name} resume {record.Id}'");

    /// <summary>The retrained model of a name. Throws <see cref="UsageException"/> with those that there are.</summary>
    public static ExportedModel Find(SearchRecord record, string run)
    {
        if (record.State.Config!.Engine.Kind is var kind and not EngineKind.Torch)
            throw new UsageException($"search {record.Id} ran on a {ConfigSection.Kebab(kind.ToString())}: it has an architecture " +
                $"('{ThisProgram.Name} describe {record.Id}') but no weights");
        ExportedModel[] there = [.. record.Events.Select(e => e.Event).OfType<SearchEvent.ModelRetrained>()
            .Select(m => new ExportedModel(m.Run, m.Architecture, m.Weights, m.TestAccuracy))];
        return Array.Find(there, m => m.Run == run) ?? throw new UsageException(there.Length == 0
            ? $"search {record.Id} has no retrained model yet ({record.Status}); resume it with '{ThisProgram.Name} resume {record.Id}'"
            : $"--model {run}: search {record.Id} has {string.Join(", ", there.Select(m => m.Run))}");
    }

    private static SortedDictionary<string, string> Provenance(SearchRecord record, ExportedModel source, BlobRef blob)
    {
        SearchEvent.SearchStarted started = record.State.Started!;
        return new(StringComparer.Ordinal)
        {
            ["architecture"] = source.Architecture.Text,
            ["classes"] = JsonSerializer.Serialize(started.Data.Classes.ToArray()), // A name may have a line end in it.
            ["configuration-sha256"] = started.ConfigurationHash.Hex,
            ["data"] = started.Data.Name,
            ["data-fingerprint"] = started.Data.Fingerprint.Hex,
            ["decision-sha256"] = record.State.DecisionHash.Hex,
            ["model"] = source.Run,
            ["numerics"] = started.NumericsProfile,
            ["pixels"] = Invariant($"(v / 255 - {TrainedModel.Mean}) / {TrainedModel.Deviation}"),
            ["search"] = record.Id,
            [$"{record.State.Config!.Retrain.MeasuredName}-accuracy"] = Invariant($"{source.TestAccuracy}"),
            ["weights-blob-sha256"] = blob.Digest.Hex,
        };
    }

    private static byte[] Samples(SearchRecord record, byte[] weights, Architecture architecture, ExportRequest request)
    {
        EngineSession session = Session(record, request.Data);
        InferenceSamples samples = InferenceSamples.Of(session, weights, architecture.Blocks, request.Samples);
        return Safetensors.Write(
            new Dictionary<string, HostTensor>
            {
                ["pixels"] = samples.Pixels_NCHW,
                ["logits"] = samples.Logits_NK,
                ["labels"] = HostTensor.Of([.. samples.Labels.Select(l => (float)l)], samples.Labels.Count)
            },
            new Dictionary<string, string> { ["architecture"] = architecture.Text });
    }

    /// <summary>The search's data and network on this machine, for inference alone.</summary>
    public static EngineSession Session(SearchRecord record, string? data, string? device = null)
    {
        SearchConfig config = record.State.Config!;
        if (data is not null)
            config = config with { Data = config.Data with { Path = Path.GetFullPath(data) } };
        if (device is not null)
            config = config with { Trainers = config.Trainers with { Device = device } };
        TorchBinding.Prepare(config.Trainers.Threads);
        return new(new EngineContext(config, record.State.Started!.Data), new NoBlobs());
    }

    private static string Write(string folder, string name, string text) => Write(folder, name, new UTF8Encoding(false).GetBytes(text));

    private static string Write(string folder, string name, byte[] bytes)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Inference needs no store.</summary>
    private sealed class NoBlobs : IBlobStore
    {
        public BlobRef Put(ReadOnlySpan<byte> bytes) => throw new InvalidOperationException("inference writes no blobs");

        public byte[] Get(BlobRef blob) => throw new InvalidOperationException("inference reads no blobs");

        public bool Contains(BlobRef blob) => false;

        public void Delete(BlobRef blob)
        {
        }
    }
}
