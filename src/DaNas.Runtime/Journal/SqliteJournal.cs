using System.Globalization;
using DaNas.Actors.Journals;
using Microsoft.Data.Sqlite;

namespace DaNas.Runtime.Journal;

/// <summary>
/// The journal in one SQLite file: WAL, synchronous=FULL. The tables are those of Akka.Persistence.Sql 1.5 (one column name differs), which
/// stores the events; the writer's epoch stands in a table of ours.
/// </summary>
public sealed class SqliteJournal : IEventJournal, IFencedTables
{
    private const int ApplicationId = 0x44614E61;
    private const int SchemaVersion = 1;

    private readonly string path;
    private volatile bool fenced;
    private readonly string writer = Guid.NewGuid().ToString("D");
    private readonly Dictionary<string, long> epochs = new(StringComparer.Ordinal);
    private readonly JournalLedger ledger;
    private readonly SqliteConnection connection;
    private readonly Lock gate = new();

    static SqliteJournal() => SQLitePCL.Batteries_V2.Init();

    private SqliteJournal(string path, bool readOnly, Func<string, string>? headOf)
    {
        this.path = path;
        ledger = new JournalLedger(path, headOf);
        connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 10,
        }.ToString());
        try
        {
            connection.Open();
            Prepare(readOnly);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw Translate(e);
        }
        catch (JournalException)
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens the file for writing, and makes it where it is missing. Heads are kept and checked in the files that <paramref name="headOf"/>
    /// names.
    /// </summary>
    public static SqliteJournal Open(string path, Func<string, string>? headOf = null) => new(path, false, headOf);

    /// <summary>Opens an existing file for reading; works beside a running search.</summary>
    public static SqliteJournal OpenReadOnly(string path, Func<string, string>? headOf = null) => new(path, true, headOf);

    /// <inheritdoc/>
    public string Kind => "sqlite";

    /// <inheritdoc/>
    public string ConnectionString => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadWrite,
        Pooling = true,
        DefaultTimeout = 10
    }.ToString();

    /// <inheritdoc/>
    public Task FenceAsync() => Guarded(() =>
    {
        Execute(SqliteSchema.Fence);
        fenced = true;
        return true;
    });

    /// <inheritdoc/>
    public long EpochOf(string persistenceId)
    {
        lock (gate)
            return epochs.TryGetValue(persistenceId, out long epoch)
                ? epoch : throw new JournalException(JournalFault.Fenced, $"this process is not the writer of {persistenceId}");
    }

    /// <inheritdoc/>
    public JournalLedger NewLedger() => ledger.Beside();

    /// <inheritdoc/>
    public JournalException Translate(Exception failure) => SqliteFaults.Of(path, failure);

    /// <inheritdoc/>
    public void AcceptCut(string persistenceId) => ledger.Accept(persistenceId);

    public long Acquire(string persistenceId) => AcquireAsync(persistenceId).GetAwaiter().GetResult();

    public Task<long> AcquireAsync(string persistenceId) => Guarded(() => AcquireNow(persistenceId));

    /// <summary>All events in order; the chain and the head outside the journal are checked.</summary>
    public IReadOnlyList<StoredEvent> Read(string persistenceId)
    {
        Head? head = ledger.HeadOf(persistenceId); // Before the rows: a writer stores the event first and its head afterwards.
        return ledger.Open(persistenceId, head, SqliteRows.Read(path, persistenceId, Translate));
    }

    public IReadOnlyList<string> PersistenceIds() => SqliteRows.PersistenceIds(path, Translate);

    public Task<IReadOnlyList<StoredEvent>> ReadAsync(string persistenceId) => Task.FromResult(Read(persistenceId));

    public Task<IReadOnlyList<string>> PersistenceIdsAsync() => Task.FromResult(PersistenceIds());

    public void Dispose()
    {
        if (fenced)
        {
            using SqliteConnection pooled = new(ConnectionString);
            SqliteConnection.ClearPool(pooled); // Another library's connections: the last one to close folds the -wal back into the file.
        }

        connection.Dispose();
        ledger.Dispose();
    }

    private void Prepare(bool readOnly)
    {
        bool empty = Scalar("SELECT count(*) FROM sqlite_master") == 0; // First: another process may fill the file between the two.
        long application = Scalar("PRAGMA application_id");
        if (application != ApplicationId && !(empty && application == 0)) // An empty one is about to be made.
            throw new JournalException(JournalFault.Foreign,
                $"{path} is a SQLite file, but not a journal of this product; specify another folder with --out");
        if (!empty && Scalar("PRAGMA user_version") > SchemaVersion)
            throw new JournalException(JournalFault.Foreign, $"{path} was written by a newer version of this product; use that version");
        if (readOnly)
            return;
        Execute("PRAGMA journal_mode=WAL");
        Execute("PRAGMA synchronous=FULL");
        // At once: others open the file meanwhile.
        Execute($"BEGIN IMMEDIATE; PRAGMA application_id={ApplicationId}; {SqliteSchema.Tables} PRAGMA " +
            $"user_version={SchemaVersion}; COMMIT");
    }

    private long AcquireNow(string persistenceId)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            INSERT INTO danas_writer (persistence_id, epoch, writer_uuid) VALUES ($id, $above + 1, $writer)
            ON CONFLICT (persistence_id) DO UPDATE SET epoch = max(epoch, $above) + 1, writer_uuid = $writer
            RETURNING epoch
            """;
        command.Parameters.AddWithValue("$above", SqliteRows.NewestEpoch(connection, transaction, persistenceId));
        command.Parameters.AddWithValue("$id", persistenceId);
        command.Parameters.AddWithValue("$writer", writer);
        long epoch = (long)command.ExecuteScalar()!;
        transaction.Commit();
        epochs[persistenceId] = epoch;
        ledger.Forget(persistenceId);
        return epoch;
    }

    private Task<T> Guarded<T>(Func<T> work)
    {
        try
        {
            lock (gate)
                return Task.FromResult(work());
        }
        catch (SqliteException e)
        {
            return Task.FromException<T>(Translate(e));
        }
    }

    private JournalException Translate(SqliteException e) => SqliteFaults.Of(path, e);

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "Constants of this file only.")]
    private long Scalar(string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "Constants of this file only.")]
    private void Execute(string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
