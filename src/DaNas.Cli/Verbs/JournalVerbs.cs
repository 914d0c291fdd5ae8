using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Processes;
using DaNas.Actors.Journals;
using DaNas.Runtime.Searches;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Ports;
using DaNas.Runtime.Blobs;

namespace DaNas.Cli.Verbs;

/// <summary>journal verify and blobs verify|prune: is what is on the disk what was stored?</summary>
internal static class JournalVerbs
{
    public static Command Journal()
    {
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command verify = new("verify", "Reads every event of every search: hash chain, sequence, the head outside the journal; and decides again what was decided.") { output, json };
        verify.SetAction(parsed => Shared.Guard(() => Verify(Shared.Folder(parsed, output), parsed.GetValue(json))));
        return new Command("journal", "The journal of a folder.") { verify };
    }

    public static Command Blobs()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command verify = new("verify", "Hashes every blob of a search, and names those that are damaged or missing.") { id, output, json };
        verify.SetAction(parsed => Shared.Guard(() => VerifyBlobs(Shared.Folder(parsed, output), parsed.GetValue(id)!, parsed.GetValue(json))));
        Option<bool> dry = new("--dry-run") { Description = "Only says what would be removed." };
        Command prune = new("prune", "Removes blobs that nothing of a search needs any more, and what a killed writer left.") { id, output, json, dry };
        prune.SetAction(parsed => Shared.Guard(() => Prune(Shared.Folder(parsed, output), parsed.GetValue(id)!, parsed.GetValue(dry), parsed.GetValue(json))));
        return new Command("blobs", "The weights of a search: files named by their SHA-256.") { verify, prune };
    }

    private static int Verify(OutputFolder folder, bool json)
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
            found.Add((lost, 0, $"events were acknowledged, and {folder.JournalPath} has none of them: restore it (with its -wal) from a backup"));
        if (json)
            Output.PrintJson("journal-verify", found.Select(f => new { persistenceId = f.Search, events = f.Events, whole = f.Fault is null, fault = f.Fault }));
        else if (found.Count == 0)
            Output.PrintText($"no journal in {folder.Root}");
        foreach ((string search, long events, string? fault) in json ? [] : found)
            Output.PrintText(fault is null ? Output.Text($"{search}: {events} events: chain, head and decisions whole") : $"{search}: DAMAGED: {fault}");
        return found.All(f => f.Fault is null) ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>The first decision that this version would make otherwise; null where there is none.</summary>
    private static string? Otherwise(IReadOnlyList<StoredEvent> events) => SearchReplay.Check([.. events.Select(e => (SearchEvent)e.Event)]).Difference is { } d
        ? Output.Text($"event {d.Sequence} ({d.Recorded.GetType().Name}) is not what this version decides on the same evidence: another version wrote it, or a rule is not deterministic")
        : null;

    private static int VerifyBlobs(OutputFolder folder, string id, bool json)
    {
        SearchRecord record = SearchRecord.Load(folder, id);
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
        if (json)
            Output.PrintJson("blobs-verify", new { search = record.Id, whole, damaged, missing });
        else
            Output.PrintText(Output.Text($"{record.Id}: {whole} blobs whole, {damaged.Count} damaged, {missing.Length} needed and missing"));
        foreach (string name in json ? [] : damaged.Concat(missing))
            Output.PrintText($"  {name}: '{ThisProgram.Name} resume {record.Id}{folder.Option}' goes back to the last round whose weights are whole");
        return damaged.Count + missing.Length == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static int Prune(OutputFolder folder, string id, bool dry, bool json)
    {
        using OwnerLock? owner = dry ? null : OwnerLock.Take(folder, SearchRecord.Find(folder, id), false); // A running search writes blobs that no event names yet.
        SearchRecord record = SearchRecord.Load(folder, id);
        FileBlobStore blobs = folder.OpenBlobs(record.Id);
        HashSet<Digest> live = [.. record.State.LiveBlobs.Concat(record.State.Weights).Select(b => b.Digest)];
        BlobRef[] dead = [.. blobs.All().Where(b => !live.Contains(b.Digest))];
        if (!dry)
        {
            foreach (BlobRef blob in dead)
                blobs.Delete(blob);
            blobs.RemoveUnfinished();
        }

        if (json)
            Output.PrintJson("blobs-prune", new { search = record.Id, removed = dry ? 0 : dead.Length, removable = dead.Length, bytes = dead.Sum(b => b.SizeBytes), kept = live.Count });
        else
            Output.PrintText(Output.Text($"{record.Id}: {(dry ? "would remove" : "removed")} {dead.Length} blobs, {dead.Sum(b => b.SizeBytes) / 1e6:0.0} MB; {live.Count} are needed and stay"));
        return ExitCode.Done;
    }
}
