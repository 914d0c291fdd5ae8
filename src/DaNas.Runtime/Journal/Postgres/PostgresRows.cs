using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using Npgsql;
using NpgsqlTypes;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>Reads the journal's tables over connections of its own, so that a writer is not in the way.</summary>
internal static class PostgresRows
{
    public static async Task<List<Row>> ReadAsync(PostgresServer server, string persistenceId, long after)
    {
        try
        {
            await using NpgsqlConnection reader = await server.OpenAsync();
            await using NpgsqlCommand command = new(
                "SELECT sequence_number, created, manifest, message, identifier FROM journal WHERE persistence_id = $1 AND " +
                    "sequence_number > $2 AND NOT is_deleted ORDER BY sequence_number", reader);
            command.Parameters.Add(new() { Value = persistenceId });
            command.Parameters.Add(new() { Value = after });
            await using NpgsqlDataReader rows = await command.ExecuteReaderAsync();
            List<Row> result = [];
            while (await rows.ReadAsync())
            {
                if (rows.GetInt32(4) != WireFormat.SerializerId)
                    throw new JournalException(JournalFault.Foreign,
                        $"{server.Name}: event {rows.GetInt64(0)} of {persistenceId} was written by serializer {rows.GetInt32(4)}");
                result.Add(new(new RowHead(rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2)),
                    await rows.GetFieldValueAsync<byte[]>(3)));
            }

            return result;
        }
        catch (InvalidCastException e)
        {
            throw new JournalException(JournalFault.Damaged,
                $"{server.Name}: {persistenceId}: {e.Message}; restore the database from a backup", e);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "Constants of this file only.")]
    public static async Task<List<string>> ListAsync(PostgresServer server, string sql, params object[] parameters)
    {
        try
        {
            await using NpgsqlConnection reader = await server.OpenAsync();
            await using NpgsqlCommand command = new(sql, reader);
            foreach (object parameter in parameters)
                command.Parameters.Add(parameter is DBNull ? new() { Value = parameter, NpgsqlDbType = NpgsqlDbType.Text }
                    : new() { Value = parameter });
            await using NpgsqlDataReader rows = await command.ExecuteReaderAsync();
            List<string> ids = [];
            while (await rows.ReadAsync())
                ids.Add(rows.GetString(0));
            return ids;
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }
}
