using DaNas.Actors.Embedded;
using DaNas.Cli.Configuration;
using DaNas.Storage;

namespace DaNas.Cli.Running;

/// <summary>The folder of journal, blobs and results: --out, DANAS_OUT, or the user's data folder.</summary>
internal sealed class OutputFolder
{
    private readonly bool named;

    public OutputFolder(string? path)
    {
        path ??= Environment.GetEnvironmentVariable("DANAS_OUT");
        named = path is not null;
        Root = Path.GetFullPath(path ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "danas"));
    }

    public string Root { get; }

    public string JournalPath => Path.Combine(Root, "journal.db");

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
            throw new UsageException($"{Root} cannot be written ({e.Message}); name another folder with --out, or free some space");
        }
    }

    public string BlobFolder(string id) => Path.Combine(SearchFolder(id), "blobs");

    public FileBlobStore OpenBlobs(string id) => new(BlobFolder(id));

    public SqliteJournal OpenJournal() => SqliteJournal.Open(JournalPath, TimeProvider.System, HeadOf);

    /// <summary>The journal for reading, or null where there is none yet. Without heads, a journal whose end is gone can be read.</summary>
    public SqliteJournal? TryOpenJournal(bool checkHeads = true) => File.Exists(JournalPath) ? SqliteJournal.OpenReadOnly(JournalPath, checkHeads ? HeadOf : null) : null;

    /// <summary>Searches of which an event was acknowledged, whatever the journal says.</summary>
    public IEnumerable<string> WithHead() => Directory.Exists(Path.Combine(Root, "searches"))
        ? Directory.EnumerateFiles(Path.Combine(Root, "searches"), "journal.head", SearchOption.AllDirectories).Select(f => Path.GetFileName(Path.GetDirectoryName(f)!)).Order(StringComparer.Ordinal)
        : [];

    /// <summary>Heads stand beside each search's blobs: <c>searches/ID/journal.head</c>.</summary>
    private string HeadOf(string persistenceId) => Path.Combine(SearchFolder(persistenceId[SearchRecord.PersistenceId(string.Empty).Length..]), "journal.head");
}
