using System.Collections.Concurrent;
using System.Globalization;
using DaNas.Actors.Wire;
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
    private const int SqliteFull = 13;

    private readonly string path;
    private readonly TimeProvider time;
    private readonly string writer = Guid.NewGuid().ToString("D");
    private readonly Dictionary<string, long> epochs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> chains = new(StringComparer.Ordinal);
    private readonly SqliteConnection connection;
    private readonly BlockingCollection<(Func<object> Work, TaskCompletionSource<object> Done)> work = new(10_000);
    private readonly Thread? thread;

    static SqliteJournal() => SQLitePCL.Batteries_V2.Init();

    private SqliteJournal(string path, bool readOnly, TimeProvider time)
    {
        this.path = path;
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

    /// <summary>Opens the file for writing, and makes it where it is missing.</summary>
    public static SqliteJournal Open(string path, TimeProvider time) => new(path, false, time);

    /// <summary>Opens an existing file for reading; works beside a running search.</summary>
    public static SqliteJournal OpenReadOnly(string path) => new(path, true, TimeProvider.System);

    public long Acquire(string persistenceId) => (long)Enqueue(() => AcquireNow(persistenceId)).GetAwaiter().GetResult();

    public async Task<long> AppendAsync(string persistenceId, long lastSequence, IReadOnlyList<object> events) =>
        (long)await Enqueue(() => AppendNow(persistenceId, lastSequence, events));

    public IEnumerable<StoredEvent> Read(string persistenceId)
    {
        List<StoredEvent> result = [];
        string chain = Envelope.Genesis(persistenceId);
        foreach ((long sequence, long created, string manifest, byte[] message) in Rows(persistenceId))
        {
            if (sequence != result.Count + 1)
                throw new JournalException(JournalFault.Damaged, $"{path}: event {result.Count + 1} of {persistenceId} is missing; restore the file from a backup");
            try
            {
                (object e, chain) = Envelope.Open(chain, sequence, manifest, message);
                result.Add(new(sequence, new DateTimeOffset(created, TimeSpan.Zero), manifest, e));
            }
            catch (InvalidDataException e)
            {
                throw new JournalException(JournalFault.Damaged, $"{path}: {persistenceId}: {e.Message}; restore the file from a backup", e);
            }
        }

        lock (chains)
            chains[persistenceId] = chain;
        return result;
    }

    public IReadOnlyList<string> PersistenceIds()
    {
        using SqliteConnection reader = OpenReader();
        using SqliteCommand command = reader.CreateCommand();
        command.CommandText = "SELECT persistence_id FROM journal WHERE sequence_number = 1 ORDER BY ordering";
        using SqliteDataReader rows = command.ExecuteReader();
        List<string> ids = [];
        while (rows.Read())
            ids.Add(rows.GetString(0));
        return ids;
    }

    public void Dispose()
    {
        work.CompleteAdding();
        thread?.Join();
        connection.Dispose();
        work.Dispose();
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

    private List<(long Sequence, long Created, string Manifest, byte[] Message)> Rows(string persistenceId)
    {
        try
        {
            using SqliteConnection reader = OpenReader();
            using SqliteCommand command = reader.CreateCommand();
            command.CommandText = "SELECT sequence_number, created, manifest, message FROM journal WHERE persistence_id = $id AND is_deleted = 0 ORDER BY sequence_number";
            command.Parameters.AddWithValue("$id", persistenceId);
            using SqliteDataReader rows = command.ExecuteReader();
            List<(long, long, string, byte[])> result = [];
            while (rows.Read())
                result.Add((rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetFieldValue<byte[]>(3)));
            return result;
        }
        catch (SqliteException e)
        {
            throw Translate(e);
        }
    }

    private SqliteConnection OpenReader()
    {
        SqliteConnection reader = new(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false, DefaultTimeout = 10 }.ToString());
        reader.Open();
        return reader;
    }

    private object AcquireNow(string persistenceId)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            INSERT INTO danas_writer (persistence_id, epoch, writer_uuid) VALUES ($id, 1, $writer)
            ON CONFLICT (persistence_id) DO UPDATE SET epoch = epoch + 1, writer_uuid = $writer
            RETURNING epoch
            """;
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
            (byte[] message, chain) = Envelope.Seal(chain, lastSequence, epoch, manifest, WireFormat.Write(e));
            insert.Parameters.Clear();
            insert.Parameters.AddWithValue("$id", persistenceId);
            insert.Parameters.AddWithValue("$sequence", lastSequence);
            insert.Parameters.AddWithValue("$created", time.GetUtcNow().UtcTicks);
            insert.Parameters.AddWithValue("$message", message);
            insert.Parameters.AddWithValue("$identifier", WireFormat.SerializerId);
            insert.Parameters.AddWithValue("$manifest", manifest);
            insert.Parameters.AddWithValue("$writer", writer);
            insert.ExecuteNonQuery();
        }

        transaction.Commit();
        lock (chains)
            chains[persistenceId] = chain;
        return lastSequence;
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
#pragma warning disable CA1031 // Handed to whoever asked.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        }
    }

    private JournalException Translate(SqliteException e) => e.SqliteErrorCode switch
    {
        26 => new(JournalFault.Foreign, $"{path} is not a SQLite file, so not a journal of this product; name another folder with --out", e),
        11 => new(JournalFault.Damaged, $"{path} is damaged ({e.Message}); restore the file from a backup", e),
        SqliteFull => new(JournalFault.Unavailable, $"{path}: the disk is full; free some space, the search then goes on", e),
        14 or 8 => new(JournalFault.Unavailable, $"{path} cannot be opened for writing ({e.Message}); check the folder's rights", e),
        _ => new(JournalFault.Unavailable, string.Create(CultureInfo.InvariantCulture, $"{path}: {e.Message}"), e),
    };

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
