using DaNas.Actors.Journals;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;

namespace DaNas.Runtime.Searches;

/// <summary>A search as its journal tells it: the events with their times, and their fold.</summary>
internal sealed record SearchRecord(string Id, IReadOnlyList<StoredEvent> Events, SearchState State)
{
    private const string Prefix = "search-";

    /// <summary>Where the journal is not what was acknowledged and was read all the same: up to which event, and why.</summary>
    public (SearchEvent.HistoryLost Loss, string Why)? Cut { get; init; }

    /// <summary>Time at work: from each start or resumption to the last event before the next one.</summary>
    public double ActiveSeconds
    {
        get
        {
            double seconds = 0;
            DateTimeOffset? from = null;
            DateTimeOffset last = default;
            foreach (StoredEvent e in Events)
            {
                if (e.Event is SearchEvent.SearchStarted or SearchEvent.SearchResumed)
                {
                    seconds += from is { } f ? (last - f).TotalSeconds : 0;
                    from = e.Created;
                }

                last = e.Created;
            }

            return seconds + (from is { } open ? (last - open).TotalSeconds : 0);
        }
    }

    public string Status => State.Phase switch
    {
        SearchPhase.Completed => "completed",
        SearchPhase.Failed => "failed",
        _ => "unfinished",
    };

    /// <summary>A phase as people and programs read it, such as measuring-difficulty or training.</summary>
    public static string NameOf(SearchPhase phase) => ConfigSection.Kebab(phase.GetType().Name);

    public static string PersistenceId(string id) => Prefix + id;

    public static IReadOnlyList<string> Ids(OutputFolder folder)
    {
        using IEventJournal? journal = folder.TryOpenJournal();
        return journal is null ? [] : [.. journal.PersistenceIds().Where(p => p.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(p => p[Prefix.Length..])];
    }

    /// <summary>Loads one search by its id or the beginning of it.</summary>
    public static SearchRecord Load(OutputFolder folder, string id)
    {
        using IEventJournal? journal = folder.TryOpenJournal();
        return Read(journal, Find(folder, id));
    }

    /// <summary>The same for resuming: a journal whose end is gone is read as far as it goes, and says so.</summary>
    public static SearchRecord LoadWhatIsThere(OutputFolder folder, string id)
    {
        try
        {
            return Load(folder, id);
        }
        catch (JournalException e) when (e.Cut is { } cut)
        {
            using IEventJournal? journal = folder.TryOpenJournal(false);
            SearchRecord record = Read(journal, Find(folder, id));
            return record with { Cut = (new SearchEvent.HistoryLost(cut.Acknowledged, record.Events.Count), e.Message) };
        }
    }

    /// <summary>The whole id of a search by the beginning of it.</summary>
    public static string Find(OutputFolder folder, string id)
    {
        string[] matches = [.. Ids(folder).Where(i => i.StartsWith(id, StringComparison.Ordinal))];
        return matches.Length == 1 || matches.Contains(id) ? (matches.Contains(id) ? id : matches[0])
            : throw new UsageException(matches.Length == 0
            ? folder.WithHead().FirstOrDefault(i => i.StartsWith(id, StringComparison.Ordinal)) is { } lost
                ? $"search '{lost}': {folder.Lost}"
                : OwnerLock.Known(folder, id) ? OwnerLock.IsHeld(folder, id)
                    ? $"search '{id}' is starting and has not stored anything yet; try again in a few seconds"
                    : $"search '{id}' ended before it had stored anything; start it again with the original command"
                : $"there is no search '{id}' in {folder.Root}; '{ThisProgram.Name} ls{folder.Option}' lists what is there"
            : $"'{id}' is ambiguous: it matches {string.Join(" or ", matches)}; type more of the ID");
    }

    private static SearchRecord Read(IEventJournal? journal, string id)
    {
        IReadOnlyList<StoredEvent> events = [.. journal!.Read(Prefix + id)];
        return new(id, events, StateAt(events, events.Count));
    }

    /// <summary>The fold of the first events.</summary>
    public static SearchState StateAt(IReadOnlyList<StoredEvent> events, int count) =>
        events.Take(count).Aggregate(SearchState.Initial, (s, e) => SearchEvolver.Evolve(s, (SearchEvent)e.Event));
}
