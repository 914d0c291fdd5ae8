using System.Text.Json;
using System.Text.Json.Nodes;
using DaNas.Domain.Values;
using DaNas.Evidence;

namespace DaNas.Runtime.Experiments;

/// <summary>A table of trained architectures as 'danas space probe --to FILE' writes it.</summary>
internal static class ProbeTable
{
    private const string Remedy = "create one with 'danas space probe CONF --all --any-cost --to FILE'";

    /// <summary>The table, or what is wrong with the file.</summary>
    public static (ProbeReport? Table, string? Wrong) Read(string file)
    {
        if (!File.Exists(file))
            return (null, $"{file} does not exist; {Remedy}");
        try
        {
            JsonNode? text = JsonNode.Parse(File.ReadAllText(file),
                documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
            (text as JsonObject)?.Remove("schema"); // 0.4 wrote none.
            ProbeReport? table = text.Deserialize<ProbeReport>(DomainJson.Stored);
            return Fault(table) is { } fault ? (null, $"{file} is not a table of trained architectures: {fault}; {Remedy}") : (table, null);
        }
        catch (JsonException e)
        {
            return (null, $"{file} is not a table of trained architectures (line {e.LineNumber + 1}); {Remedy}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"{file} cannot be read: {e.Message}");
        }
    }

    private static string? Fault(ProbeReport? table)
    {
        if (table is not { Rows.Count: > 1, Ceiling: not null, Trivial: not null })
            return "it has no rows";
        if (table.Rows.Any(r => r is not { Architecture: not null, Alone.Count: > 1 } || r.Alone.Any(a => !double.IsFinite(a))))
            return "a row without an architecture and two accuracies or more";
        if (table.Split is not ("validation" or "test"))
            return $"split = {table.Split}: validation or test";
        if (table.Rows.Select(r => r.Alone.Count).Distinct().Count() > 1)
            return "rows with different numbers of trainings";
        return table.Rows.GroupBy(r => r.Architecture, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice
            ? $"{twice.Key} is listed twice" : null;
    }
}
