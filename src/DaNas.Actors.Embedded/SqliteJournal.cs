using System.Collections.Concurrent;
using System.Globalization;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Ports;
using Microsoft.Data.Sqlite;

namespace DaNas.Actors.Embedded;

/// <summary>
/// The journal in one SQLite file: WAL, synchronous=FULL, one dedicated writer thread. The table is that of Akka.Persistence.Sql 1.5
/// (one column name differs), so that the Akka host writes it too; the writer's epoch stands in a table of ours.
/// </summary>
public sealed class SqliteJournal : IEventJournal, IFencedTables
{
    private const int ApplicationId = 0x44614E61;
    private const int SchemaVersion = 1;

    private readonly string path;
    private readonly TimeProvider time;
    private volatile bool fenced;
    private readonly string writer = Guid.NewGuid().ToString("D");
    private readonly Dictionary<string, long> epochs = new(StringComparer.Ordinal);
    private readonly JournalLedger ledger;
    private readonly SqliteConnection connection;
    private readonly BlockingCollection<(Func<object> Work, TaskCompletionSource<object> Done)> work = new(10_000);
    private readonly Thread? thread;

    static SqliteJournal() => SQLitePCL.Batteries_V2.Init();

    private SqliteJournal(string path, bool readOnly, TimeProvider time, Func<string, string>? headOf)
    {
        this.path = path;
        ledger = new JournalLedger(path, headOf);
        this.time = time;
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

        if (readOnly)
            return;
        thread = new Thread(WriteLoop) { IsBackground = true, Name = "danas-journal" };
        thread.Start();
    }

    /// <summary>Opens the file for writing, and makes it where it is missing. Heads are kept and checked in the files that <paramref name="headOf"/> names.</summary>
    public static SqliteJournal Open(string path, TimeProvider time, Func<string, string>? headOf = null) => new(path, false, time, headOf);

    /// <summary>Opens an existing file for reading; works beside a running search.</summary>
    public static SqliteJournal OpenReadOnly(string path, Func<string, string>? headOf = null) => new(path, true, TimeProvider.System, headOf);

    /// <inheritdoc/>
    public string Kind => "sqlite";

    /// <inheritdoc/>
    public string ConnectionString => new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = true, DefaultTimeout = 10 }.ToString();

    /// <inheritdoc/>
    public Task FenceAsync() => Enqueue(() =>
    {
        Execute(SqliteSchema.Fence);
        fenced = true;
        return true;
    });

    /// <inheritdoc/>
    public long EpochOf(string persistenceId) => Enqueue(() => epochs.TryGetValue(persistenceId, out long epoch)
        ? epoch
        : throw new JournalException(JournalFault.Fenced, $"this process is not the writer of {persistenceId}")).GetAwaiter().GetResult() is long known ? known : 0;

    /// <inheritdoc/>
    public JournalLedger NewLedger() => ledger.Beside();

    /// <inheritdoc/>
    public JournalException Translate(Exception failure) => SqliteFaults.Of(path, failure);

    /// <inheritdoc/>
    public void AcceptCut(string persistenceId) => ledger.Accept(persistenceId);

    public long Acquire(string persistenceId) => AcquireAsync(persistenceId).GetAwaiter().GetResult();

    public async Task<long> AcquireAsync(string persistenceId) => (long)await Enqueue(() => AcquireNow(persistenceId));

    public async Task<long> AppendAsync(string persistenceId, long lastSequence, IReadOnlyList<object> events) =>
        (long)await Enqueue(() => AppendNow(persistenceId, lastSequence, events));

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
        work.CompleteAdding();
        thread?.Join();
        if (fenced)
        {
            using SqliteConnection pooled = new(ConnectionString);
            SqliteConnection.ClearPool(pooled); // Another library's connections: the last one to close folds the -wal back into the file.
        }

        connection.Dispose();
        work.Dispose();
        ledger.Dispose();
    }

    private void Prepare(bool readOnly)
    {
        bool empty = Scalar("SELECT count(*) FROM sqlite_master") == 0; // First: another process may fill the file between the two.
        long application = Scalar("PRAGMA application_id");
        if (application != ApplicationId && !(empty && application == 0)) // An empty one is about to be made.
            throw new JournalException(JournalFault.Foreign, $"{path} is a SQLite file, but not a journal of this product; name another folder with --out");
        if (!empty && Scalar("PRAGMA user_version") > SchemaVersion)
            throw new JournalException(JournalFault.Foreign, $"{path} was written by a newer version of this product; use that version");
        if (readOnly)
            return;
        Execute("PRAGMA journal_mode=WAL");
        Execute("PRAGMA synchronous=FULL");
        Execute($"BEGIN IMMEDIATE; PRAGMA application_id={ApplicationId}; {SqliteSchema.Tables} PRAGMA user_version={SchemaVersion}; COMMIT"); // At once: others open the file meanwhile.
    }

    private object AcquireNow(string persistenceId)
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

    private object AppendNow(string persistenceId, long lastSequence, IReadOnlyList<object> events)
    {
        if (!epochs.TryGetValue(persistenceId, out long epoch))
            throw new JournalException(JournalFault.Fenced, $"this process is not the writer of {persistenceId}");
        using SqliteTransaction transaction = connection.BeginTransaction();
        CheckWriter(transaction, persistenceId, epoch);
        using SqliteCommand insert = connection.CreateCommand();
        insert.Transaction = transaction;
        insert.CommandText = """
            INSERT INTO journal (persistence_id, sequence_number, created, message, identifier, manifest, writer_uuid)
            VALUES ($id, $sequence, $created, $message, $identifier, $manifest, $writer)
            """;
        SealedRows rows = ledger.Seal(persistenceId, lastSequence, epoch, time.GetUtcNow(), events);
        for (int i = 0; i < rows.Rows.Count; i++)
        {
            Row row = rows.Rows[i];
            FaultPoints.Passed?.Invoke(EventSites.Of(FaultPoints.EventBefore, events[i]));
            insert.Parameters.Clear();
            insert.Parameters.AddWithValue("$id", persistenceId);
            insert.Parameters.AddWithValue("$sequence", row.Head.Sequence);
            insert.Parameters.AddWithValue("$created", row.Head.CreatedTicks);
            insert.Parameters.AddWithValue("$message", row.Message);
            insert.Parameters.AddWithValue("$identifier", WireFormat.SerializerId);
            insert.Parameters.AddWithValue("$manifest", row.Head.Manifest);
            insert.Parameters.AddWithValue("$writer", writer);
            insert.ExecuteNonQuery();
            if (i < rows.Rows.Count - 1)
                FaultPoints.Passed?.Invoke(EventSites.Of(FaultPoints.EventAfter, events[i]));
        }

        transaction.Commit();
        FaultPoints.Passed?.Invoke(EventSites.Of(FaultPoints.EventAfter, events[^1]));
        ledger.Stored(persistenceId, rows);
        return rows.Head.Sequence;
    }

    private void CheckWriter(SqliteTransaction transaction, string persistenceId, long epoch)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT epoch FROM danas_writer WHERE persistence_id = $id";
        command.Parameters.AddWithValue("$id", persistenceId);
        long current = (long)(command.ExecuteScalar() ?? 0L);
        if (current != epoch)
            throw new JournalException(JournalFault.Fenced, $"another process took {persistenceId} over (epoch {current}, this one has {epoch}); this process stops");
    }

    private Task<object> Enqueue(Func<object> item)
    {
        TaskCompletionSource<object> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add((item, done));
        return done.Task;
    }

    private void WriteLoop()
    {
        foreach ((Func<object> item, TaskCompletionSource<object> done) in work.GetConsumingEnumerable())
        {
            try
            {
                done.SetResult(item());
            }
            catch (SqliteException e)
            {
                done.SetException(Translate(e));
            }
            catch (IOException e)
            {
                done.SetException(new JournalException(JournalFault.Unavailable, $"{e.Message}; free some space, the search then goes on", e));
            }
#pragma warning disable CA1031 // Handed to whoever asked.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
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
