using DaNas.Actors.Journals;
using Npgsql;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>The tables as another library writes them, behind a fence in the data base itself.</summary>
public sealed partial class PostgresJournal : IFencedTables
{
    /// <summary>SQLSTATE of a refused row.</summary>
    internal const string Refused = "DN001";

    /// <summary>
    /// The writer's row is locked while its epoch is compared with that of the event (which is part of the hash chain), so that a takeover
    /// waits for the insert, or the insert finds the new epoch.
    /// </summary>
    private const string FenceText = $"""
        CREATE OR REPLACE FUNCTION danas_fence() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
          PERFORM 1 FROM danas_writer WHERE persistence_id = NEW.persistence_id
            AND epoch = (convert_from(NEW.message, 'UTF8')::jsonb ->> 'epoch')::bigint FOR SHARE;
          IF NOT FOUND THEN
            RAISE EXCEPTION 'another process took % over', NEW.persistence_id USING ERRCODE = '{Refused}';
          END IF;
          RETURN NEW;
        END $body$;
        CREATE TRIGGER danas_fence BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION danas_fence();
        """;

    /// <inheritdoc/>
    public string Kind => "postgresql";

    /// <inheritdoc/>
    public string ConnectionString => server.PooledConnection;

    /// <inheritdoc/>
    public async Task FenceAsync()
    {
        try
        {
            await using NpgsqlConnection connection = await server.OpenAsync();
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
            await using NpgsqlCommand alone = new("SELECT pg_advisory_xact_lock($1)", connection, transaction);
            alone.Parameters.Add(new() { Value = PostgresSchema.MigrationLock });
            await alone.ExecuteNonQueryAsync();
            await using NpgsqlCommand known = new("SELECT count(*) FROM pg_trigger WHERE tgname = 'danas_fence' AND tgrelid = " +
                "'journal'::regclass", connection, transaction);
            if (await known.ExecuteScalarAsync() is > 0L)
                return;

            await using NpgsqlCommand make = new(FenceText, connection, transaction);
            await make.ExecuteNonQueryAsync();
            await transaction.CommitAsync();
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(server.Name, e);
        }
    }

    /// <inheritdoc/>
    public long EpochOf(string persistenceId) => epochs.TryGetValue(persistenceId, out long epoch)
        ? epoch
        : throw new JournalException(JournalFault.Fenced, $"this process is not the writer of {persistenceId}");

    /// <inheritdoc/>
    public JournalLedger NewLedger() => ledger.Beside();

    /// <inheritdoc/>
    public JournalException Translate(Exception failure)
    {
        Exception[] all = [.. Causes.Within(failure)];
        if (all.OfType<JournalException>().FirstOrDefault() is { } known)
            return known;
        return PostgresFaults.Of(server.Name, all.OfType<NpgsqlException>().FirstOrDefault() ?? failure);
    }
}
