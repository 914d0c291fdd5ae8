using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>journal verify and blobs verify|prune: is what is on the disk what was stored?</summary>
internal static class JournalVerbs
{
    public static Command Journal()
    {
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command verify =
            new("verify", "Verifies every event of every search (hash chain, sequence, and the head stored outside the journal) and " +
                "re-derives every decision.") { output, json };
        verify.SetAction(parsed => Shared.Guard(() => Verify(Shared.Folder(parsed, output), parsed.GetValue(json))));
        return new Command("journal", "Commands for the journal of a folder.") { verify };
    }

    public static Command Blobs()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command verify = new("verify", "Hashes every blob of a search and lists the damaged and missing ones.") { id, output, json };
        verify.SetAction(
            parsed => Shared.Guard(() => VerifyBlobs(Shared.Folder(parsed, output), parsed.GetValue(id)!, parsed.GetValue(json))));
        Option<bool> dry = Shared.Option<bool>("--dry-run", "Only reports what would be removed.");
        Command prune =
            new("prune", "Removes blobs that a search no longer needs and files left behind by a killed writer.") { id, output, json, dry };
        prune.SetAction(parsed =>
            Shared.Guard(() => Prune(Shared.Folder(parsed, output), parsed.GetValue(id)!, parsed.GetValue(dry), parsed.GetValue(json))));
        return new Command("blobs", "Commands for the blobs of a search: weight files named by their SHA-256.") { verify, prune };
    }

    private static int Verify(OutputFolder folder, bool json)
    {
        IReadOnlyList<(string Search, long Events, string? Fault)> found = StorageCheck.Journal(folder);
        if (json)
            Output.PrintJson("journal-verify", found.Select(
                f => new { persistenceId = f.Search, events = f.Events, whole = f.Fault is null, fault = f.Fault }));
        else if (found.Count == 0)
            Output.PrintText($"no journal in {folder.Root}");
        foreach ((string search, long events, string? fault) in json ? [] : found)
            Output.PrintText(fault is null ? Invariant($"{search}: {events} events: chain, head and decisions are intact")
                : $"{search}: DAMAGED: {fault}");
        return found.All(f => f.Fault is null) ? ExitCode.Done : ExitCode.Failed;
    }

    private static int VerifyBlobs(OutputFolder folder, string id, bool json)
    {
        SearchRecord record = SearchRecord.Load(folder, id);
        (long whole, IReadOnlyList<string> damaged, IReadOnlyList<string> missing) = StorageCheck.Blobs(folder, record);
        if (json)
            Output.PrintJson("blobs-verify", new { search = record.Id, whole, damaged, missing });
        else
            Output.PrintText(
                Invariant($"{record.Id}: {whole} blobs intact, {damaged.Count} damaged, {missing.Count} required but missing"));
        foreach (string name in json ? [] : damaged.Concat(missing))
            Output.PrintText($"  {name}: run '{ThisProgram.Name} resume {record.Id}{folder.Option}' to return to the last " +
                $"round with intact weights");
        return damaged.Count + missing.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static int Prune(OutputFolder folder, string id, bool dry, bool json)
    {
        // A running search writes blobs that no event names yet.
        using OwnerLock? owner = dry ? null : OwnerLock.Take(folder, SearchRecord.Find(folder, id), false);
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
            Output.PrintJson("blobs-prune", new
            {
                search = record.Id,
                removed = dry
                ? 0 : dead.Length,
                removable = dead.Length,
                bytes = dead.Sum(b => b.SizeBytes),
                kept = live.Count
            });
        else
            Output.PrintText(Invariant($"{record.Id}: {(dry ? "would remove" : "removed")} {dead.Length} blobs, " +
                $"{dead.Sum(b => b.SizeBytes) / 1e6:0.0} MB; {live.Count} are still needed and are kept"));
        return ExitCode.Done;
    }
}
