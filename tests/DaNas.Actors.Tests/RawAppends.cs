using System.Data.Common;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace DaNas.Actors.Tests;

/// <summary>
/// Rows as Akka.Persistence.Sql writes them, by plain SQL: sealed onto the chain here, and refused by the store's fence alone.
/// </summary>
internal static class RawAppends
{
    public static async Task<long> AppendAsync(this IEventJournal journal, string persistenceId, long last, IReadOnlyList<object> events)
    {
        IFencedTables tables = (IFencedTables)journal;
        await tables.FenceAsync();
        long epoch = tables.EpochOf(persistenceId);
        string chain = last == 0 ? Envelope.Genesis(persistenceId) : (await journal.ReadAsync(persistenceId))[(int)last - 1].Chain;
        List<Row> rows = [];
        foreach (object e in events)
        {
            RowHead head = new(++last, DateTimeOffset.UtcNow.UtcTicks, WireFormat.ManifestOf(e));
            (byte[] message, chain) = Envelope.Seal(chain, head, epoch, WireFormat.Write(e));
            rows.Add(new Row(head, message));
        }

        try
        {
            await InsertAsync(tables, persistenceId, rows);
        }
        catch (DbException e)
        {
            throw tables.Translate(e);
        }

        using JournalLedger ledger = tables.NewLedger();
        ledger.Stored(persistenceId, new SealedRows(rows, new Head(last, chain)));
        return last;
    }

    private static async Task InsertAsync(IFencedTables tables, string persistenceId, List<Row> rows)
    {
        await using DbConnection connection = tables.Kind == "sqlite"
            ? new SqliteConnection(tables.ConnectionString) : new NpgsqlConnection(tables.ConnectionString);
        await connection.OpenAsync();
        await using DbTransaction transaction = await connection.BeginTransactionAsync();
        foreach (Row row in rows)
        {
            await using DbCommand insert = connection.CreateCommand();
            insert.Transaction = transaction;
            insert.CommandText = "INSERT INTO journal (persistence_id, sequence_number, created, message, identifier, manifest, " +
                "writer_uuid) VALUES (@id, @sequence, @created, @message, @serializer, @manifest, 'raw')";
            foreach ((string name, object value) in new (string, object)[] { ("id", persistenceId), ("sequence", row.Head.Sequence),
                ("created", row.Head.CreatedTicks), ("message", row.Message), ("serializer", WireFormat.SerializerId),
                ("manifest", row.Head.Manifest) })
            {
                DbParameter parameter = insert.CreateParameter();
                (parameter.ParameterName, parameter.Value) = (name, value);
                insert.Parameters.Add(parameter);
            }

            await insert.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }
}
