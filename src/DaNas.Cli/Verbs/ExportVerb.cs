using System.CommandLine;
using System.Text;
using System.Text.Json;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Export;
using DaNas.Ports;
using DaNas.Torch;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Training;

namespace DaNas.Cli.Verbs;

/// <summary>export: a search's model in formats that other programs run.</summary>
internal static class ExportVerb
{
    private const string ArchitectureOnly = "architecture";

    private static readonly string[] All = [ArchitectureOnly, "onnx", "safetensors", "pytorch", "csharp"];

    public static Command Export()
    {
        Argument<string> id = Shared.Id();
        Option<string> formats = new("--format") { DefaultValueFactory = _ => string.Join(',', All), Description = "architecture (JSON and text; always written), onnx, safetensors, pytorch, csharp; the last two bring the safetensors file that they load." };
        Option<string?> to = new("--to") { Description = "Folder for the files, made where it is missing; without it the chosen architecture is printed." };
        Option<string> model = new("--model") { DefaultValueFactory = _ => RetrainPlan.Winner, Description = "winner, or a control such as control-1 ('danas report ID' lists them)." };
        Option<bool> fold = new("--fold") { Description = "Multiplies batch norm into the convolutions of the ONNX file, ready for quantisers." };
        Option<int> samples = new("--samples") { Description = "Also writes so many test pictures as the network takes them, with the logits that it answers (samples.safetensors)." };
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("export", "Hands over what a search found: its architecture, and the retrained model as ONNX, safetensors, a PyTorch module and a C# class.") { id, formats, to, model, fold, samples, data, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string[] wanted = parsed.GetValue(formats)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (wanted.Length == 0 || wanted.Except(All).FirstOrDefault() is not null)
                throw new UsageException($"--format {parsed.GetValue(formats)}: write {string.Join(", ", All)}, separated by commas");
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            if (parsed.GetValue(to) is not { } target)
                return Print(record, folder, parsed.GetValue(json));
            Request request = new(wanted, parsed.GetValue(fold), parsed.GetValue(samples), parsed.GetValue(data));
            Exported source = wanted is [ArchitectureOnly] ? Chosen(record) : Find(record, parsed.GetValue(model)!);
            IReadOnlyList<string> files = Write(Directory.CreateDirectory(target).FullName, record, folder, source, request);
            if (parsed.GetValue(json))
                Output.PrintJson("export", new { search = record.Id, model = source.Run, architecture = source.Architecture.Text, testAccuracy = source.TestAccuracy, files });
            else
                Output.PrintText($"{source.Architecture.Text} ({source.Run} of {record.Id}):\n  {string.Join("\n  ", files)}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static int Print(SearchRecord record, OutputFolder folder, bool json)
    {
        Architecture winner = Chosen(record).Architecture;
        Console.WriteLine(json ? ResultFiles.ArchitectureJson(record.State, winner, SearchReport.Of(record, folder)) : ResultFiles.ArchitectureText(record.State.Space!, winner));
        return ExitCode.Done;
    }

    private static List<string> Write(string target, SearchRecord record, OutputFolder folder, Exported source, Request request)
    {
        List<string> files =
        [
            Write(target, "architecture.json", ResultFiles.ArchitectureJson(record.State, source.Architecture, SearchReport.Of(record, folder))),
            Write(target, "architecture.txt", ResultFiles.ArchitectureText(record.State.Space!, source.Architecture)),
        ];
        if (source.Weights is not { } blob)
            return files;
        byte[] weights = folder.OpenBlobs(record.Id).Get(blob);
        TrainedModel found = TrainedModel.Read(weights, record.State.Space!, source.Architecture, record.State.Started!.Data.Classes, Provenance(record, source, blob));
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
    private static Exported Chosen(SearchRecord record) => record.State.Selected is { } selected
        ? new(RetrainPlan.Winner, selected.Winner, null, null)
        : throw new UsageException($"search {record.Id} has not chosen an architecture yet ({SearchRecord.NameOf(record.State.Phase)}); go on with '{Output.Program} resume {record.Id}'");

    /// <summary>The retrained model of a name. Throws <see cref="UsageException"/> with those that there are.</summary>
    internal static Exported Find(SearchRecord record, string run)
    {
        if (record.State.Config!.Engine.Kind is var kind and not EngineKind.Torch)
            throw new UsageException($"search {record.Id} was answered by a {ConfigSection.Kebab(kind.ToString())}: it has an architecture ('{Output.Program} describe {record.Id}') and no weights");
        Exported[] there = [.. record.Events.Select(e => e.Event).OfType<SearchEvent.ModelRetrained>().Select(m => new Exported(m.Run, m.Architecture, m.Weights, m.TestAccuracy))];
        return Array.Find(there, m => m.Run == run) ?? throw new UsageException(there.Length == 0
            ? $"search {record.Id} has no retrained model yet ({record.Status}); '{Output.Program} resume {record.Id}' goes on with it"
            : $"--model {run}: search {record.Id} has {string.Join(", ", there.Select(m => m.Run))}");
    }

    private static SortedDictionary<string, string> Provenance(SearchRecord record, Exported source, BlobRef blob)
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
            ["pixels"] = Output.Text($"(v / 255 - {TrainedModel.Mean}) / {TrainedModel.Deviation}"),
            ["search"] = record.Id,
            [$"{record.State.Config!.Retrain.MeasuredName}-accuracy"] = Output.Text($"{source.TestAccuracy}"),
            ["weights-blob-sha256"] = blob.Digest.Hex,
        };
    }

    private static byte[] Samples(SearchRecord record, byte[] weights, Architecture architecture, Request request)
    {
        EngineSession session = Session(record, request.Data);
        InferenceSamples samples = InferenceSamples.Of(session, weights, architecture.Blocks, request.Samples);
        return Safetensors.Write(
            new Dictionary<string, HostTensor> { ["pixels"] = samples.Pixels_NCHW, ["logits"] = samples.Logits_NK, ["labels"] = HostTensor.Of([.. samples.Labels.Select(l => (float)l)], samples.Labels.Count) },
            new Dictionary<string, string> { ["architecture"] = architecture.Text });
    }

    /// <summary>The search's data and network on this machine, for inference alone.</summary>
    internal static EngineSession Session(SearchRecord record, string? data, string? device = null)
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

    internal sealed record Exported(string Run, Architecture Architecture, BlobRef? Weights, double? TestAccuracy);

    private sealed record Request(IReadOnlyList<string> Formats, bool Fold, int Samples, string? Data);

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
