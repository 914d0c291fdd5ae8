using System.Collections.Concurrent;
using System.Globalization;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Domain.Searches;
using DaNas.Ports;
using Microsoft.Data.Sqlite;

namespace DaNas.Actors.Embedded;

/// <summary>
/// The journal in one SQLite file: WAL, synchronous=FULL, one dedicated writer thread. The table is that of Akka.Persistence.Sql 1.5
/// (default mapping), so that the Akka host can read it; the writer's epoch stands in a table of ours.
/// </summary>
public sealed class SqliteJournal : IEventJournal, IDisposable
{
    private const int ApplicationId = 0x44614E61;
    private const int SchemaVersion = 1;

    private readonly string path;
    private readonly TimeProvider time;
    private readonly string writer = Guid.NewGuid().ToString("D");
    private readonly Dictionary<string, long> epochs = new(StringComparer.Ordinal);
    private readonly HashSet<string> accepted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> chains = new(StringComparer.Ordinal);
    private readonly HeadAnchors? anchors;
    private readonly SqliteConnection connection;
    private readonly BlockingCollection<(Func<object> Work, TaskCompletionSource<object> Done)> work = new(10_000);
    private readonly Thread? thread;

    static SqliteJournal() => SQLitePCL.Batteries_V2.Init();

    private SqliteJournal(string path, bool readOnly, TimeProvider time, Func<string, string>? headOf)
    {
        this.path = path;
        anchors = headOf is null ? null : new HeadAnchors(headOf);
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

    /// <summary>What the journal has is taken as it is, whatever its head says; the head is made anew with the next append, and not before.</summary>
    public void AcceptCut(string persistenceId)
    {
        lock (chains)
            accepted.Add(persistenceId);
    }

    public long Acquire(string persistenceId) => (long)Enqueue(() => AcquireNow(persistenceId)).GetAwaiter().GetResult();

    public async Task<long> AppendAsync(string persistenceId, long lastSequence, IReadOnlyList<object> events) =>
        (long)await Enqueue(() => AppendNow(persistenceId, lastSequence, events));

    /// <summary>All events in order; the chain and the head outside the journal are checked.</summary>
    public IEnumerable<StoredEvent> Read(string persistenceId)
    {
        bool taken;
        lock (chains)
            taken = accepted.Contains(persistenceId);
        Head? head = taken ? null : HeadOf(persistenceId); // Before the rows: a writer stores the event first and its head afterwards.
        List<StoredEvent> result = [];
        string chain = Envelope.Genesis(persistenceId);
        foreach (Row row in SqliteRows.Read(path, persistenceId, Translate))
        {
            if (row.Head.Sequence != result.Count + 1)
                throw new JournalException(JournalFault.Damaged, $"{path}: event {result.Count + 1} of {persistenceId} is missing; restore the file from a backup");
            try
            {
                (object e, chain, long epoch) = Envelope.Open(chain, row.Head, row.Message);
                result.Add(new(row.Head.Sequence, new DateTimeOffset(row.Head.CreatedTicks, TimeSpan.Zero), row.Head.Manifest, e) { Epoch = epoch, Chain = chain });
            }
            catch (InvalidDataException e)
            {
                throw new JournalException(JournalFault.Damaged, $"{path}: {persistenceId}: {e.Message}; restore the file from a backup", e);
            }
        }

        CheckHead(persistenceId, head, result);
        lock (chains)
            chains[persistenceId] = chain;
        return result;
    }

    public IReadOnlyList<string> PersistenceIds() => SqliteRows.PersistenceIds(path, Translate);

    private Head? HeadOf(string persistenceId)
    {
        try
        {
            return anchors?.Read(persistenceId);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new JournalException(JournalFault.Damaged, $"{e.Message}; whether the journal is whole cannot be told: restore the file, or go on with 'danas resume ID --accept'", e) { Cut = (0, 0) };
        }
    }

    private void CheckHead(string persistenceId, Head? head, List<StoredEvent> events)
    {
        if (head is null || (events.Count >= head.Sequence && (head.Sequence == 0 || events[(int)head.Sequence - 1].Chain == head.Chain)))
            return;
        string what = events.Count < head.Sequence
            ? string.Create(CultureInfo.InvariantCulture, $"{path}: {persistenceId} ends at event {events.Count}, but event {head.Sequence} was acknowledged: the end of the journal is gone")
            : string.Create(CultureInfo.InvariantCulture, $"{path}: event {head.Sequence} of {persistenceId} is not the one that was acknowledged: another history");
        throw new JournalException(JournalFault.Damaged, $"{what}; restore the file (with its -wal) from a backup, or go on from what is there with 'danas resume ID --accept', which records the loss")
        {
            Cut = (head.Sequence, events.Count),
        };
    }

    public void Dispose()
    {
        work.CompleteAdding();
        thread?.Join();
        connection.Dispose();
        work.Dispose();
        anchors?.Dispose();
    }

    private void Prepare(bool readOnly)
    {
        long application = Scalar("PRAGMA application_id");
        bool empty = Scalar("SELECT count(*) FROM sqlite_master") == 0;
        if (application != ApplicationId && !(empty && application == 0 && !readOnly))
            throw new JournalException(JournalFault.Foreign, $"{path} is a SQLite file, but not a journal of this product; name another folder with --out");
        if (!empty && Scalar("PRAGMA user_version") > SchemaVersion)
            throw new JournalException(JournalFault.Foreign, $"{path} was written by a newer version of this product; use that version");
        if (readOnly)
            return;
        Execute("PRAGMA journal_mode=WAL");
        Execute("PRAGMA synchronous=FULL");
        Execute($"PRAGMA application_id={ApplicationId}");
        Execute(SqliteSchema.Tables);
        Execute($"PRAGMA user_version={SchemaVersion}");
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
        return epoch;
    }

    private object AppendNow(string persistenceId, long lastSequence, IReadOnlyList<object> events)
    {
        if (!epochs.TryGetValue(persistenceId, out long epoch))
            throw new JournalException(JournalFault.Fenced, $"this process is not the writer of {persistenceId}");
        string chain;
        lock (chains)
            chain = chains.GetValueOrDefault(persistenceId) ?? Envelope.Genesis(persistenceId);
        using SqliteTransaction transaction = connection.BeginTransaction();
        CheckWriter(transaction, persistenceId, epoch);
        using SqliteCommand insert = connection.CreateCommand();
        insert.Transaction = transaction;
        insert.CommandText = """
            INSERT INTO journal (persistence_id, sequence_number, created, message, identifier, manifest, writer_uuid)
            VALUES ($id, $sequence, $created, $message, $identifier, $manifest, $writer)
            """;
        foreach (object e in events)
        {
            lastSequence++;
            string manifest = WireFormat.ManifestOf(e);
            FaultPoints.Passed?.Invoke(Site(FaultPoints.EventBefore, e));
            RowHead head = new(lastSequence, time.GetUtcNow().UtcTicks, manifest);
            (byte[] message, chain) = Envelope.Seal(chain, head, epoch, WireFormat.Write(e));
            insert.Parameters.Clear();
            insert.Parameters.AddWithValue("$id", persistenceId);
            insert.Parameters.AddWithValue("$sequence", lastSequence);
            insert.Parameters.AddWithValue("$created", head.CreatedTicks);
            insert.Parameters.AddWithValue("$message", message);
            insert.Parameters.AddWithValue("$identifier", WireFormat.SerializerId);
            insert.Parameters.AddWithValue("$manifest", manifest);
            insert.Parameters.AddWithValue("$writer", writer);
            insert.ExecuteNonQuery();
            if (e != events[^1])
                FaultPoints.Passed?.Invoke(Site(FaultPoints.EventAfter, e));
        }

        transaction.Commit();
        FaultPoints.Passed?.Invoke(Site(FaultPoints.EventAfter, events[^1]));
        lock (chains)
            chains[persistenceId] = chain;
        lock (chains)
        {
            if (accepted.Remove(persistenceId))
                anchors?.Forget(persistenceId);
        }

        anchors?.Write(persistenceId, new Head(lastSequence, chain));
        return lastSequence;
    }

    /// <summary>Taking over and faults are not what a sweep counts: they differ between a run and its repetition.</summary>
    private static string Site(string site, object e) => e is SearchEvent.SearchResumed or SearchEvent.AttemptFailed ? $"{site}-uncounted" : site;

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
