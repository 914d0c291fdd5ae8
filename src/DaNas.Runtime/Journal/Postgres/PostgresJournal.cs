using System.Collections.Concurrent;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using Npgsql;
using NpgsqlTypes;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>
/// The journal in PostgreSQL: the tables, chain and heads of the SQLite one, read and acquired over sessions of its own.
/// Akka.Persistence.Sql stores the events, behind the fence.
/// </summary>
public sealed partial class PostgresJournal : IEventJournal
{
    private readonly PostgresServer server;
    private readonly string? cluster;
    private readonly string writer = Guid.NewGuid().ToString("D");
    private readonly ConcurrentDictionary<string, long> epochs = new(StringComparer.Ordinal);
    private readonly JournalLedger ledger;

    private PostgresJournal(PostgresServer server, Func<string, string>? headOf, string? cluster)
    {
        this.cluster = cluster;
        this.server = server;
        ledger = new JournalLedger(server.Name, headOf);
    }

    /// <summary>
    /// Opens the data base, and makes the tables where they are missing; searches belong to the cluster that is named, or to single
    /// machines. Throws <see cref="JournalException"/>.
    /// </summary>
    public static async Task<PostgresJournal> OpenAsync(PostgresServer server, Func<string, string>? headOf = null, string? cluster = null)
    {
        await server.PrepareAsync();
        return OpenPrepared(server, headOf, cluster);
    }

    /// <summary>The same, where the tables are known to be there.</summary>
    public static PostgresJournal OpenPrepared(PostgresServer server, Func<string, string>? headOf, string? cluster) =>
        new(server, headOf, cluster);

    public void AcceptCut(string persistenceId) => ledger.Accept(persistenceId);

    public async Task<long> AcquireAsync(string persistenceId)
    {
        try
        {
            await using NpgsqlConnection connection = await server.OpenAsync();
            return await AcquireNowAsync(connection, persistenceId);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
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

    public void Dispose() => ledger.Dispose();

    private async Task<long> AcquireNowAsync(NpgsqlConnection connection, string persistenceId)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await using NpgsqlCommand newest =
            new("SELECT message FROM journal WHERE persistence_id = $1 ORDER BY sequence_number DESC LIMIT 1", connection, transaction);
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
    private async Task<JournalException> BelongsElsewhereAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string persistenceId)
    {
        await using NpgsqlCommand owner = new("SELECT cluster FROM danas_writer WHERE persistence_id = $1", connection, transaction);
        owner.Parameters.Add(new() { Value = persistenceId });
        string whose = await owner.ExecuteScalarAsync() is string other
            ? $"cluster '{other}': resume it with 'danas resume ID --cluster' and one of its coordinators"
                : "a single machine: resume it there with 'danas resume ID'";
        return new(JournalFault.Foreign, $"{server.Name}: {persistenceId} belongs to {whose}; for a new search choose another --id");
    }
}
