using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;

namespace DaNas.Runtime.Searches;

/// <summary>Where a search that runs in this process says what it does.</summary>
internal interface ISearchScreen
{
    void Say(string text);

    void Warn(string text);

    /// <summary>The search begins or goes on, from this state.</summary>
    void Begin(SearchConfig config, DatasetSummary data, SearchState state);

    /// <summary>An event was stored just now; the state is the one after it.</summary>
    void Stored(SearchEvent e, SearchState state);

    /// <summary>Takes the moving line away; lines may follow, and it may be called again.</summary>
    void EndProgress();
}

/// <summary>Runs searches in this process to their ends, with all that a person sees of them.</summary>
internal interface ISearchHost
{
    /// <summary>A new search; its exit code.</summary>
    Task<int> BeginAsync(SearchConfig config, OutputFolder folder, string id);

    /// <summary>Goes on with a search as it is; its exit code.</summary>
    Task<int> GoOnAsync(SearchRecord record, OutputFolder folder);
}
