using DaNas.Actors.Journals;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Configuration;

namespace DaNas.Runtime.Searches;

/// <summary>A new search as the first events of another one.</summary>
internal static class SearchFork
{
    /// <summary>
    /// Stores the first events of a search under a new id, with what was changed, and copies the blobs that they stand on; how many those
    /// are.
    /// </summary>
    /// <param name="folder">Where both searches are.</param>
    /// <param name="record">The search that is forked.</param>
    /// <param name="count">Its events that the new one keeps, from 1.</param>
    /// <param name="fork">The new search's id.</param>
    /// <param name="sets">Keys with other values from there.</param>
    public static async Task<int> BeginAsync(OutputFolder folder, SearchRecord record, int count, string fork, IReadOnlyList<string> sets)
    {
        SearchState state = SearchRecord.StateAt(record.Events, count);
        List<object> events = [.. record.Events.Take(count).Select(e => e.Event)];
        events[0] = ((SearchEvent.SearchStarted)events[0]) with { Id = new SearchId(fork) };
        events.Add(new SearchEvent.SearchForked(new SearchId(record.Id), count));
        if (sets.Count > 0)
            events.Add(Changed(record, state, sets));
        int copied = CopyBlobs(folder, record.Id, fork, state);
        using IEventJournal journal = await folder.OpenJournalAsync();
        while (await journal.AcquireAsync(SearchRecord.PersistenceId(fork)) < state.Epoch)
        {
            // The new search's writers count on from the parent's.
        }

        await LocalActors.StoreAsync(journal, SearchRecord.PersistenceId(fork), events);
        return copied;
    }

    private static SearchEvent Changed(SearchRecord record, SearchState state, IReadOnlyList<string> sets)
    {
        string before = state.Started!.Configuration;
        SearchConfig config = ConfigLoader.Over(before, sets, null);
        ValueList<string> impossible = ConfigDrift.Unacceptable(ConfigDrift.Of(before, config.Text), state);
        return impossible.Count == 0
            ? ConfigDrift.Event(before, config.Text)
            : throw new UsageException($"search {record.Id} uses different values for these keys, which cannot be changed in a fork:\n  " +
                $"{string.Join("\n  ", impossible)}\nstart a new search with them");
    }

    /// <summary>
    /// What the state stands on, and can go back to. What was collected meanwhile is made again, from the last round that is whole.
    /// </summary>
    private static int CopyBlobs(OutputFolder folder, string from, string to, SearchState state)
    {
        FileBlobStore source = folder.OpenBlobs(from);
        FileBlobStore target = folder.OpenBlobs(to);
        BlobRef[] there = [.. state.LiveBlobs.Concat(state.Weights).Concat(state.Marks.Select(m => m.Supernet).OfType<BlobRef>()).Distinct()
            .Where(source.Contains)];
        foreach (BlobRef blob in there)
            target.Put(source.Get(blob));
        return there.Length;
    }
}
