using DaNas.Actors.Journals;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal;
using DaNas.Runtime.Journal.Postgres;

namespace DaNas.Runtime.Searches;

/// <summary>
/// Where searches live: the folder of blobs and results (--out, DANAS_OUT, or the user's data folder), and the journal: a SQLite file in
/// that folder, or the PostgreSQL data base that DANAS_JOURNAL names.
/// </summary>
internal sealed class OutputFolder
{
    private readonly bool named;
    private readonly PostgresServer? server;

    public OutputFolder(string? path)
    {
        path ??= Environment.GetEnvironmentVariable("DANAS_OUT");
        named = path is not null;
        Root = Path.GetFullPath(path ?? Path.Combine(Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "danas"));
        server = Environment.GetEnvironmentVariable("DANAS_JOURNAL") is { Length: > 0 } address ? new PostgresServer(address) : null;
    }

    public string Root { get; }

    /// <summary>The journal's file; the folder's own one even where the journal is in a data base.</summary>
    public string JournalPath => Path.Combine(Root, "journal.db");

    /// <summary>The journal in words.</summary>
    public string JournalName => server?.Name ?? JournalPath;

    /// <summary>What to add to a command line so that it finds this folder again.</summary>
    public string Option => named ? $" --out {Root}" : string.Empty;

    public string SearchFolder(string id) => Path.Combine(Root, "searches", id);

    /// <summary>Makes the folder; throws <see cref="UsageException"/> where it cannot be written.</summary>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Root);
            string probe = Path.Combine(Root, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "x");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"cannot write to {Root} ({e.Message}); specify another folder with --out, or free some space");
        }
    }

    public string BlobFolder(string id) => Path.Combine(SearchFolder(id), "blobs");

    public FileBlobStore OpenBlobs(string id) => new(BlobFolder(id));

    /// <summary>The journal for writing. Throws <see cref="JournalException"/>.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The caller has it.")]
    public async Task<IEventJournal> OpenJournalAsync() => server is null
        ? SqliteJournal.Open(JournalPath, HeadOf)
        : await PostgresJournal.OpenAsync(server, HeadOf);

    /// <summary>The journal for reading, or null where there is none yet. Without heads, a journal whose end is gone can be read.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The caller has it.")]
    public IEventJournal? TryOpenJournal(bool checkHeads = true)
    {
        Func<string, string>? heads = checkHeads ? HeadOf : null;
        if (server is not null)
            return PostgresJournal.OpenAsync(server, heads).GetAwaiter().GetResult();
        return File.Exists(JournalPath) ? SqliteJournal.OpenReadOnly(JournalPath, heads) : null;
    }

    /// <summary>Whether nobody else than this machine's processes runs the searches of the journal.</summary>
    public bool IsAlone => server is null;

    /// <summary>What is said of a search that has a head and no events.</summary>
    public string Lost => $"it had acknowledged events, but {JournalName} contains none of them: restore the journal" + (server is null
        ? " (with its -wal file) from a backup, or set DANAS_JOURNAL if they are stored in PostgreSQL" : " from a backup");

    /// <summary>Searches of which an event was acknowledged, whatever the journal says.</summary>
    public IEnumerable<string> WithHead() => Directory.Exists(Path.Combine(Root, "searches"))
        ? Directory.EnumerateDirectories(Path.Combine(Root, "searches")).Where(f => File.Exists(Path.Combine(f, "journal.head")))
            .Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)
        : [];

    /// <summary>Heads stand beside each search's blobs: <c>searches/ID/journal.head</c>.</summary>
    public string HeadOf(string persistenceId) => Path.Combine(
        SearchFolder(persistenceId[SearchRecord.PersistenceId(string.Empty).Length..]), "journal.head");
}

/// <summary>Reading a journal from a verb, which has its thread to itself.</summary>
internal static class JournalReading
{
    public static IReadOnlyList<StoredEvent> Read(this IEventJournal journal, string persistenceId) =>
        journal.ReadAsync(persistenceId).GetAwaiter().GetResult();

    public static IReadOnlyList<string> PersistenceIds(this IEventJournal journal) =>
        journal.PersistenceIdsAsync().GetAwaiter().GetResult();
}
