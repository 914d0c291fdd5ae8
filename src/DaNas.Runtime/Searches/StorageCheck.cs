using DaNas.Actors.Journals;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs;

namespace DaNas.Runtime.Searches;

/// <summary>Whether the stored bytes of a folder are those that were written.</summary>
internal static class StorageCheck
{
    /// <summary>
    /// Every search of the journal with its number of events, and its fault: damage, or decisions that this version makes otherwise.
    /// </summary>
    public static IReadOnlyList<(string Search, long Events, string? Fault)> Journal(OutputFolder folder)
    {
        List<(string Search, long Events, string? Fault)> found = [];
        HashSet<string> known = [];
        using (IEventJournal? journal = folder.TryOpenJournal())
        {
            foreach (string id in journal?.PersistenceIds() ?? [])
            {
                known.Add(id);
                try
                {
                    IReadOnlyList<StoredEvent> events = [.. journal!.Read(id)];
                    found.Add((id, events.Count, Otherwise(events)));
                }
                catch (Exception e) when (e is JournalException or InvalidDataException)
                {
                    found.Add((id, 0, e.Message));
                }
            }
        }

        foreach (string lost in folder.WithHead().Select(SearchRecord.PersistenceId).Where(p => !known.Contains(p)))
            found.Add((lost, 0, $"events were acknowledged, but {folder.JournalPath} contains none of them: restore it (with its -wal " +
                $"file) from a backup"));
        return found;
    }

    /// <summary>The first decision that this version would make otherwise; null where there is none.</summary>
    private static string? Otherwise(IReadOnlyList<StoredEvent> events) =>
        SearchReplay.Check([.. events.Select(e => (SearchEvent)e.Event)]).Difference is { } d
        ? Invariant($"event {d.Sequence} ({d.Recorded.GetType().Name}) differs from what this version decides on the same evidence: it " +
            $"was written by another version, or a rule is not deterministic")
        : null;

    /// <summary>How many blobs of a search are intact, and the names of the damaged and of those that are needed and missing.</summary>
    public static (long Whole, IReadOnlyList<string> Damaged, IReadOnlyList<string> Missing) Blobs(OutputFolder folder, SearchRecord record)
    {
        FileBlobStore blobs = folder.OpenBlobs(record.Id);
        List<string> damaged = [];
        long whole = 0;
        foreach (BlobRef blob in blobs.All())
        {
            try
            {
                blobs.Get(blob);
                whole++;
            }
            catch (BlobException)
            {
                damaged.Add(blob.Digest.Hex);
            }
        }

        string[] missing = [.. record.State.LiveBlobs.Distinct().Where(b => !blobs.Contains(b)).Select(b => b.Digest.Hex)];
        return (whole, damaged, missing);
    }
}
