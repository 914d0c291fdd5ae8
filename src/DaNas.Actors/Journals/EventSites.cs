using DaNas.Domain.Searches;

namespace DaNas.Actors.Journals;

/// <summary>The places of events where a test may kill the process.</summary>
public static class EventSites
{
    /// <summary>Taking over and faults are not what a sweep counts: they differ between a run and its repetition.</summary>
    public static string Of(string site, object e) => e is SearchEvent.SearchResumed or SearchEvent.AttemptFailed
        ? $"{site}-uncounted" : site;
}
