using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Trainers;

namespace DaNas.Runtime.Searches;

/// <summary>What a user asks for on resuming: perhaps another configuration, and whether differences are accepted.</summary>
internal sealed record ResumeRequest(string? Configuration, IReadOnlyList<string> Sets, string? Data, bool Accept);

/// <summary>
/// Compares what a search was started with and what it would go on with: configuration, data set, engine, and the journal's own end.
/// Differences are refused with a list of them, unless the user accepts; then they become events.
/// </summary>
internal static class ResumeCheck
{
    public static Launch Of(SearchRecord record, ResumeRequest request)
    {
        SearchEvent.SearchStarted started = record.State.Started!;
        SearchConfig config = ConfigurationOf(record, request);
        // A key that is new in this version is no change.
        string before = request.Configuration is null ? started.Configuration : ConfigLoader.Completed(started.Configuration);
        ValueList<string> changes = ConfigDrift.Of(before, config.Text);
        ValueList<string> impossible = ConfigDrift.Unacceptable(changes, record.State);
        if (impossible.Count > 0)
            throw new UsageException($"search {record.Id} uses different values for these keys, which can no longer be changed:\n  " +
                $"{string.Join("\n  ", impossible)}\nresume it without these changes, or start a new search ('danas fork' " +
                $"keeps the completed work)");
        List<string> remarks = [];
        DatasetSummary data = Engines.Describe(config, remarks.Add);
        ValueList<string> dataChanges = ConfigDrift.Of(started.Data, data);
        if (!data.Classes.Equals(started.Data.Classes))
            throw new UsageException($"{config.Data.Path}: the classes of the data set differ from those that the search started with " +
                $"({data.Classes.Count} and {started.Data.Classes.Count}):\n  {string.Join("\n  ", dataChanges)}\nrestore the original " +
                $"data, or start a new search");
        ValueList<string> engine = ConfigDrift.Of(("engine", started.EngineVersion, SearchRunner.EngineVersion));
        ValueList<string> all = [.. changes, .. dataChanges, .. engine, .. record.Cut is { } cut ? (string[])[$"journal: {cut.Why}"] : []];
        if (all.Count > 0 && !request.Accept)
            throw new UsageException($"search {record.Id} was started under other conditions:\n  {string.Join("\n  ", all)}\nrestore " +
                $"them, or add --accept to resume anyway; the journal records the change");
        Drift accepted = new(
            changes.Count > 0 ? config.Text : null,
            dataChanges.Count > 0 ? data : null,
            request.Accept,
            SearchRunner.EngineVersion,
            record.Cut?.Loss);
        return new Launch(config, data, record.Id, record.State) { Accepted = accepted, Remarks = remarks };
    }

    /// <summary>The stored configuration with what was named laid over it; a file replaces it whole.</summary>
    private static SearchConfig ConfigurationOf(SearchRecord record, ResumeRequest request)
    {
        if (request.Configuration is { } file)
            return ConfigLoader.Load(file, request.Sets, request.Data, isNew: false);
        return request.Sets.Count == 0 && request.Data is null
            ? record.State.Config!
            : ConfigLoader.Over(record.State.Config!.Text, request.Sets, request.Data);
    }
}
