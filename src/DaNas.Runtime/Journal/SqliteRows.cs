using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using Microsoft.Data.Sqlite;

namespace DaNas.Runtime.Journal;

/// <summary>Reads the journal's tables over connections of its own, so that a running writer is not in the way.</summary>
internal static class SqliteRows
{
    public static List<Row> Read(string path, string persistenceId, Func<SqliteException, JournalException> translate) =>
        Guard(path, translate, () =>
    {
        using SqliteConnection reader = Open(path);
        if (IsEmpty(reader))
            return [];
        using SqliteCommand command = reader.CreateCommand();
        command.CommandText = "SELECT sequence_number, created, manifest, message, identifier FROM journal WHERE persistence_id = $id " +
            "AND is_deleted = 0 ORDER BY sequence_number";
        command.Parameters.AddWithValue("$id", persistenceId);
        using SqliteDataReader rows = command.ExecuteReader();
        List<Row> result = [];
        while (rows.Read())
        {
            if (rows.GetInt64(4) != WireFormat.SerializerId)
                throw new InvalidDataException($"event {rows.GetInt64(0)} was written by serializer {rows.GetInt64(4)}");
            result.Add(new(new RowHead(rows.GetInt64(0), new DateTimeOffset(rows.GetInt64(1), TimeSpan.Zero).UtcTicks, rows.GetString(2)),
                rows.GetFieldValue<byte[]>(3)));
        }

        return result;
    });

    public static IReadOnlyList<string> PersistenceIds(string path, Func<SqliteException, JournalException> translate) =>
        Guard(path, translate, () =>
    {
        using SqliteConnection reader = Open(path);
        if (IsEmpty(reader))
            return [];
        using SqliteCommand command = reader.CreateCommand();
        command.CommandText = "SELECT persistence_id FROM journal WHERE sequence_number = 1 ORDER BY ordering";
        using SqliteDataReader rows = command.ExecuteReader();
        List<string> ids = [];
        while (rows.Read())
            ids.Add(rows.GetString(0));
        return (IReadOnlyList<string>)ids;
    });

    /// <summary>The epoch of the newest event: a writer's table that fell behind (or was damaged) gives no epoch twice.</summary>
    public static long NewestEpoch(SqliteConnection connection, SqliteTransaction transaction, string persistenceId)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT message FROM journal WHERE persistence_id = $id ORDER BY sequence_number DESC LIMIT 1";
        command.Parameters.AddWithValue("$id", persistenceId);
        return command.ExecuteScalar() is byte[] message ? Envelope.EpochOf(message) : 0;
    }

    private static T Guard<T>(string path, Func<SqliteException, JournalException> translate, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException e)
        {
            throw translate(e);
        }
        catch (Exception e) when (e is InvalidCastException or ArgumentException or FormatException or InvalidDataException
            or InvalidOperationException)
        {
            throw new JournalException(JournalFault.Damaged, $"{path} is damaged ({e.Message}); restore the file from a backup", e);
        }
    }

    /// <summary>Whether the file has no tables yet: another process has made it and is about to fill it.</summary>
    private static bool IsEmpty(SqliteConnection reader)
    {
        using SqliteCommand command = reader.CreateCommand();
        command.CommandText = "SELECT count(*) FROM sqlite_master";
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture) == 0;
    }

    private static SqliteConnection Open(string path)
    {
        SqliteConnection reader = new(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = 10
        }.ToString());
        reader.Open();
        return reader;
    }
}
