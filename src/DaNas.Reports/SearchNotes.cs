using System.Text;
using System.Text.Json;
using DaNas.Domain.Searches;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>One architecture's measured and predicted latency.</summary>
internal sealed record LatencyNote(string Architecture, double Milliseconds, double? Predicted);

/// <summary>Latencies of a search's models on one device; what 'danas measure ID' leaves as latency.json.</summary>
internal sealed record LatencyNotes(string Device, IReadOnlyList<LatencyNote> Rows);

/// <summary>What was measured of a search after it ended, in its folder: never part of its journal.</summary>
internal sealed record SearchNotes(LatencyNotes? Latencies, IReadOnlyList<IReadOnlyList<int>> Confusion)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static string LatencyFile(OutputFolder folder, string id) => Path.Combine(folder.SearchFolder(id), "latency.json");

    public static string EvaluationFile(OutputFolder folder, string id, string model) =>
        Path.Combine(folder.SearchFolder(id), $"evaluation-{model}.json");

    public static SearchNotes Read(OutputFolder folder, string id) => new(
        Parse<LatencyNotes>(LatencyFile(folder, id)),
        Parse<Evaluation>(EvaluationFile(folder, id, RetrainPlan.Winner))?.Confusion ?? []);

    public static void Write(OutputFolder folder, string id, LatencyNotes notes) =>
        File.WriteAllText(LatencyFile(folder, id), JsonSerializer.Serialize(notes, Json) + "\n", new UTF8Encoding(false));

    private static T? Parse<T>(string file)
        where T : class
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<T>(File.ReadAllText(file), Json) : null;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is damaged ({e.Message}); delete it and repeat the measurement", e);
        }
    }

    private sealed record Evaluation(IReadOnlyList<IReadOnlyList<int>> Confusion);
}
