using System.Text.Json;
using DaNas.Cli.Configuration;
using DaNas.Domain.Values;
using DaNas.Evidence;

namespace DaNas.Cli.Experiments;

/// <summary>A table of trained architectures as 'danas space probe --to FILE' writes it.</summary>
internal static class ProbeTable
{
    public static ProbeReport Read(string file)
    {
        try
        {
            ProbeReport? table = JsonSerializer.Deserialize<ProbeReport>(File.ReadAllText(file), DomainJson.Stored);
            return table is { Rows.Count: > 1 } && table.Rows.All(r => r.Alone is { Count: > 1 }) ? table : throw new JsonException("no architectures with two trainings or more");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{file} is no table of trained architectures ({e.Message.TrimEnd('.')}); 'danas space probe CONF --all --to FILE' makes one");
        }
    }
}
