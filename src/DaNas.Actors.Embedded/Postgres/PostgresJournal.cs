using System.Collections.Concurrent;
using System.Threading.Channels;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Ports;
using Npgsql;
using NpgsqlTypes;

namespace DaNas.Actors.Embedded.Postgres;

/// <summary>
/// The journal in PostgreSQL: the tables, chain and heads of the SQLite one, over one session. Appends that wait are stored together in one
/// transaction, which locks each writer's row and checks its epoch. A lost connection is an outage: the next append opens another.
/// </summary>
public sealed partial class PostgresJournal : IEventJournal
{
    private const int MostTogether = 64;

    private readonly PostgresServer server;
    private readonly TimeProvider time;
    private readonly string? cluster;
    private readonly string writer = Guid.NewGuid().ToString("D");
    private readonly ConcurrentDictionary<string, long> epochs = new(StringComparer.Ordinal);
    private readonly JournalLedger ledger;
    private readonly Channel<Asked> work = Channel.CreateBounded<Asked>(new BoundedChannelOptions(10_000) { SingleReader = true });
    private readonly Task writing;
    private readonly Func<Task<NpgsqlConnection>> reopen;
    private NpgsqlConnection? session;
    private bool committing;

    private PostgresJournal(PostgresServer server, TimeProvider time, Func<string, string>? headOf, PostgresTenure? tenure)
    {
        cluster = tenure?.Cluster;
        this.server = server;
        this.time = time;
        session = tenure?.Session;
        reopen = tenure is null ? () => server.OpenAsync() : tenure.ReopenAsync;
        ledger = new JournalLedger(server.Name, headOf);
        writing = Task.Run(WriteLoopAsync);
    }

    /// <summary>Opens the data base, and makes the tables where they are missing. Throws <see cref="JournalException"/>.</summary>
    public static async Task<PostgresJournal> OpenAsync(PostgresServer server, TimeProvider time, Func<string, string>? headOf = null)
    {
        await server.PrepareAsync();
        return new PostgresJournal(server, time, headOf, null);
    }

    /// <summary>Writes over a leader's own session, and over another one only if the leader still is one.</summary>
    public static PostgresJournal Over(PostgresServer server, PostgresTenure tenure, TimeProvider time, Func<string, string>? headOf) =>
        new(server, time, headOf, tenure);

    public void AcceptCut(string persistenceId) => ledger.Accept(persistenceId);

    public async Task<long> AcquireAsync(string persistenceId)
    {
        TaskCompletionSource<long> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await work.Writer.WriteAsync(new Asked(persistenceId, null, 0, done));
        return await done.Task;
    }

    public async Task<long> AppendAsync(string persistenceId, long lastSequence, IReadOnlyList<object> events)
    {
        TaskCompletionSource<long> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await work.Writer.WriteAsync(new Asked(persistenceId, events, lastSequence, done));
        return await done.Task;
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadAsync(string persistenceId)
    {
        Head? head = ledger.HeadOf(persistenceId);
        return ledger.Open(persistenceId, head, await PostgresRows.ReadAsync(server, persistenceId, 0));
    }

    /// <summary>The events after a sequence number, without the chain; for those who watch.</summary>
    public async Task<IReadOnlyList<(RowHead Head, byte[] Payload)>> ReadAfterAsync(string persistenceId, long after) =>
        [.. (await PostgresRows.ReadAsync(server, persistenceId, after)).Select(r => (r.Head, Envelope.PayloadOf(r.Message)))];

    public async Task<IReadOnlyList<string>> PersistenceIdsAsync() => await PostgresRows.ListAsync(
        server, "SELECT persistence_id FROM journal WHERE sequence_number = 1 ORDER BY ordering");

    /// <summary>Persistence ids of this cluster whose last event is none of these manifests.</summary>
    public async Task<IReadOnlyList<string>> UnfinishedAsync(IReadOnlyList<string> ends) => await PostgresRows.ListAsync(
        server,
        """
        SELECT w.persistence_id FROM danas_writer w
        WHERE w.cluster IS NOT DISTINCT FROM $2 AND EXISTS (SELECT 1 FROM journal j WHERE j.persistence_id = w.persistence_id)
          AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.persistence_id = w.persistence_id AND j.manifest = ANY($1)
            AND j.sequence_number = (SELECT max(k.sequence_number) FROM journal k WHERE k.persistence_id = w.persistence_id))
        ORDER BY w.persistence_id
        """,
        ends.ToArray(),
        cluster is null ? DBNull.Value : cluster);

    public void Dispose()
    {
        work.Writer.TryComplete();
        writing.Wait(TimeSpan.FromSeconds(6)); // One command's timeout: a server that is cut off must not hold the process.
        while (work.Reader.TryRead(out Asked? left))
            left.Done.TrySetException(new JournalException(JournalFault.Unavailable, $"{server.Name}: this process is letting the journal go"));
        session?.Dispose();
        ledger.Dispose();
    }

    private async Task WriteLoopAsync()
    {
        while (await work.Reader.WaitToReadAsync())
        {
            List<Asked> group = [];
            while (group.Count < MostTogether && work.Reader.TryPeek(out Asked? next) && (group.Count == 0 || (next.Events is not null && group[0].Events is not null && group.All(g => g.PersistenceId != next.PersistenceId))))
            {
                work.Reader.TryRead(out _);
                group.Add(next);
            }

            if (await TryTogetherAsync(group) == Attempt.OneByOne)
            {
                foreach (Asked asked in group)
                    await TryTogetherAsync([asked]);
            }
        }
    }

    /// <summary>
    /// Stores a group all or none. What is refused before anything can have been stored is tried one by one; after that, whoever asked must read what
    /// is there. All are answered in any case.
    /// </summary>
    private async Task<Attempt> TryTogetherAsync(List<Asked> group)
    {
        committing = false;
        try
        {
            session ??= await reopen();
            if (group[0].Events is null)
                group[0].Done.TrySetResult(await AcquireNowAsync(session, group[0].PersistenceId));
            else
                await AppendNowAsync(session, group);
            return Attempt.Answered;
        }
#pragma warning disable CA1031 // Handed to whoever asked.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (e is not (JournalException or InvalidDataException))
                await DropSessionAsync();
            if (group.Count > 1 && !committing)
                return Attempt.OneByOne;
            Exception told = e is JournalException or InvalidDataException ? e : PostgresFaults.Of(server.Name, e);
            foreach (Asked asked in group)
                asked.Done.TrySetException(told);
            return Attempt.Answered;
        }
    }

    private enum Attempt
    {
        Answered,
        OneByOne,
    }

    private async Task DropSessionAsync()
    {
        if (session is not { } broken)
            return;
        session = null;
        await broken.DisposeAsync();
    }

    private async Task<long> AcquireNowAsync(NpgsqlConnection connection, string persistenceId)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await using NpgsqlCommand newest = new("SELECT message FROM journal WHERE persistence_id = $1 ORDER BY sequence_number DESC LIMIT 1", connection, transaction);
        newest.Parameters.Add(new() { Value = persistenceId });
        long above = await newest.ExecuteScalarAsync() is byte[] message ? Envelope.EpochOf(message) : 0;
        await using NpgsqlCommand command = new(
            """
            INSERT INTO danas_writer (persistence_id, epoch, writer_uuid, cluster) VALUES ($1, $2 + 1, $3, $4)
            ON CONFLICT (persistence_id) DO UPDATE SET epoch = greatest(danas_writer.epoch, $2) + 1, writer_uuid = $3
            WHERE danas_writer.cluster IS NOT DISTINCT FROM $4
            RETURNING epoch
            """, connection, transaction);
        command.Parameters.Add(new() { Value = persistenceId });
        command.Parameters.Add(new() { Value = above });
        command.Parameters.Add(new() { Value = writer });
        command.Parameters.Add(new() { Value = cluster is null ? DBNull.Value : cluster, NpgsqlDbType = NpgsqlDbType.Text });
        if (await command.ExecuteScalarAsync() is not long epoch)
            throw await BelongsElsewhereAsync(connection, transaction, persistenceId);
        await transaction.CommitAsync();
        epochs[persistenceId] = epoch;
        ledger.Forget(persistenceId);
        return epoch;
    }

    /// <summary>Searches of other clusters, and of single machines, are left alone: taking one would stop it there.</summary>
    private async Task<JournalException> BelongsElsewhereAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string persistenceId)
    {
        await using NpgsqlCommand owner = new("SELECT cluster FROM danas_writer WHERE persistence_id = $1", connection, transaction);
        owner.Parameters.Add(new() { Value = persistenceId });
        string whose = await owner.ExecuteScalarAsync() is string other ? $"cluster '{other}': go on with 'danas resume ID --cluster' of one of its coordinators" : "a single machine: go on there with 'danas resume ID'";
        return new(JournalFault.Foreign, $"{server.Name}: {persistenceId} belongs to {whose}; for a new search choose another --id");
    }

    private async Task AppendNowAsync(NpgsqlConnection connection, List<Asked> group)
    {
        DateTimeOffset now = time.GetUtcNow();
        List<SealedRows> ready = [];
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await using NpgsqlBatch batch = new(connection, transaction);
        foreach (Asked asked in group)
        {
            if (!epochs.TryGetValue(asked.PersistenceId, out long epoch))
                throw new JournalException(JournalFault.Fenced, $"this process is not the writer of {asked.PersistenceId}");
            SealedRows rows = ledger.Seal(asked.PersistenceId, asked.LastSequence, epoch, now, asked.Events!);
            ready.Add(rows);
            batch.BatchCommands.Add(CheckCommand(asked.PersistenceId, epoch));
            batch.BatchCommands.Add(InsertCommand(asked.PersistenceId, rows.Rows));
        }

        Pass(FaultPoints.EventBefore, group);
        await using (NpgsqlDataReader answers = await batch.ExecuteReaderAsync())
        {
            foreach (Asked asked in group)
            {
                if (!await answers.ReadAsync())
                    throw new JournalException(JournalFault.Fenced, $"another process took {asked.PersistenceId} over; this process stops");
                await answers.NextResultAsync();
            }
        }

        committing = true;
        await transaction.CommitAsync();
        Pass(FaultPoints.EventAfter, group);
        for (int i = 0; i < group.Count; i++)
        {
            ledger.Stored(group[i].PersistenceId, ready[i]);
            group[i].Done.TrySetResult(ready[i].Head.Sequence);
        }
    }

    /// <summary>One row where the caller is the writer; it stays so until the transaction ends, since a takeover must wait for the lock.</summary>
    private static NpgsqlBatchCommand CheckCommand(string persistenceId, long epoch)
    {
        NpgsqlBatchCommand command = new("SELECT epoch FROM danas_writer WHERE persistence_id = $1 AND epoch = $2 FOR SHARE");
        command.Parameters.Add(new() { Value = persistenceId });
        command.Parameters.Add(new() { Value = epoch });
        return command;
    }

    private NpgsqlBatchCommand InsertCommand(string persistenceId, IReadOnlyList<Row> rows)
    {
        NpgsqlBatchCommand command = new(
            """
            INSERT INTO journal (persistence_id, sequence_number, created, message, identifier, manifest, writer_uuid)
            SELECT $1, r.sequence_number, r.created, r.message, $2, r.manifest, $3
            FROM unnest($4, $5, $6, $7) WITH ORDINALITY AS r (sequence_number, created, message, manifest, nth) ORDER BY r.nth
            """);
        command.Parameters.Add(new() { Value = persistenceId });
        command.Parameters.Add(new() { Value = WireFormat.SerializerId });
        command.Parameters.Add(new() { Value = writer });
        command.Parameters.Add(new() { Value = rows.Select(r => r.Head.Sequence).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = rows.Select(r => r.Head.CreatedTicks).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = rows.Select(r => r.Message).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        command.Parameters.Add(new() { Value = rows.Select(r => r.Head.Manifest).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        return command;
    }

    private static void Pass(string site, List<Asked> group)
    {
        foreach (object e in FaultPoints.Passed is null ? [] : group.SelectMany(g => g.Events!))
            FaultPoints.Passed?.Invoke(EventSites.Of(site, e));
    }

    /// <summary>Something to do for a persistence id: become its writer (no events), or append.</summary>
    private sealed record Asked(string PersistenceId, IReadOnlyList<object>? Events, long LastSequence, TaskCompletionSource<long> Done);
}
