using System.Text;
using System.Text.Json;
using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>
/// Writes what a finished search hands over: report.html, architecture.json, architecture.txt, result.json, weights.safetensors.
/// </summary>
internal static class ResultFiles
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static void Write(SearchRecord record, OutputFolder folder)
    {
        string target = folder.SearchFolder(record.Id);
        Directory.CreateDirectory(target);
        SearchReport report = SearchReport.Of(record, folder);
        File.WriteAllText(Path.Combine(target, "result.json"), JsonSchemas.File("search", report, Indented));
        File.WriteAllText(ReportFile(record, folder), ReportFiles.Html(new(record, SearchNotes.Read(folder, record.Id))));
        if (record.State.Selected is not { } selected)
            return;
        File.WriteAllText(Path.Combine(target, "architecture.json"), ArchitectureJson(record.State, selected.Winner, report));
        File.WriteAllText(Path.Combine(target, "architecture.txt"), ArchitectureText(record.State.Space!, selected.Winner));
        if (record.State.Phase is SearchPhase.Completed && WinnerWeights(record) is { } weights)
            File.WriteAllBytes(Path.Combine(target, "weights.safetensors"), folder.OpenBlobs(record.Id).Get(weights));
    }

    public static string ReportFile(SearchRecord record, OutputFolder folder) =>
        Path.Combine(folder.SearchFolder(record.Id), "report.html");

    /// <summary>The architecture as data: one row a layer, shapes, cost, and where it comes from.</summary>
    public static string ArchitectureJson(SearchState state, Architecture architecture, SearchReport report)
    {
        SearchSpace space = state.Space!;
        CostTable costs = CostTable.Of(space);
        Cost cost = costs.Of(architecture);
        return JsonSerializer.Serialize(
            new
            {
                format = "danas-architecture/1",
                id = architecture.Id,
                text = architecture.Text,
                space = space.Name,
                input = new[] { space.InputChannels, space.Resolution, space.Resolution },
                classes = state.Started!.Data.Classes,
                stem = new { space.Stem.Channels, space.Stem.Kernel, space.Stem.Stride },
                layers = architecture.Blocks.Select((b, l) => new
                {
                    layer = l + 1,
                    block = b,
                    input = new[] { space.Layers[l].InChannels, space.Layers[l].InResolution, space.Layers[l].InResolution },
                    output = new[] { space.Layers[l].OutChannels, space.Layers[l].OutResolution, space.Layers[l].OutResolution },
                    space.Layers[l].Stride,
                    costs.Of(l, b).Macs,
                    costs.Of(l, b).Parameters,
                }),
                head = new { space.Head.Channels },
                cost.Macs,
                cost.Parameters,
                report.TestAccuracy,
                provenance = new
                {
                    report.SearchId,
                    configurationHash = state.Started.ConfigurationHash.Hex,
                    dataFingerprint =
                    state.Started.Data.Fingerprint.Hex,
                    report.DecisionHash,
                    report.WeightsHash,
                    state.Started.NumericsProfile
                },
            },
            Indented);
    }

    public static string ArchitectureText(SearchSpace space, Architecture architecture)
    {
        CostTable costs = CostTable.Of(space);
        StringBuilder text = new();
        text.AppendLine(Invariant($"{architecture.Text}   id {architecture.Id}"));
        if (space.Options is not null)
            return text.ToString();
        text.AppendLine(Invariant($"  stem   conv{space.Stem.Kernel}x{space.Stem.Kernel} s{space.Stem.Stride}   " +
            $"{space.InputChannels}x{space.Resolution}x{space.Resolution} -> {space.Stem.Channels}"));
        for (int l = 0; l < architecture.Blocks.Count; l++)
        {
            LayerSpec layer = space.Layers[l];
            text.AppendLine(Invariant(
                $"  L{l + 1:00}    {architecture.Blocks[l],-9} s{layer.Stride}   " +
                    $"{layer.InChannels}x{layer.InResolution}x{layer.InResolution} -> " +
                    $"{layer.OutChannels}x{layer.OutResolution}x{layer.OutResolution}   " +
                    $"{costs.Of(l, architecture.Blocks[l]).Macs:N0} MACs"));
        }

        Cost total = costs.Of(architecture);
        text.AppendLine(Invariant($"  head   {(space.Head.Channels > 0 ? $"conv1x1 {space.Head.Channels}, " : string.Empty)}global " +
            $"average pool, linear {space.Classes}"));
        text.AppendLine(Invariant($"  total  {total.Macs:N0} MACs, {total.Parameters:N0} parameters"));
        return text.ToString();
    }

    /// <summary>The winner's weights; null before there are any, and where nothing was trained.</summary>
    public static Domain.Values.BlobRef? WinnerWeights(SearchRecord record) =>
        record.State.Config!.Engine.Kind != Domain.Configuration.EngineKind.Torch ? null
        : record.Events.Select(e => e.Event).OfType<SearchEvent.ModelRetrained>().FirstOrDefault(m => m.Run == RetrainPlan.Winner)?.Weights;
}
