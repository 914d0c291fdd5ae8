using DaNas.Actors.Journals;
using Npgsql;

namespace DaNas.Runtime.Journal.Postgres;

/// <summary>
/// A PostgreSQL data base to keep journals in. The password comes from PGPASSWORD, PGPASSFILE or a passfile, never from a command line that
/// others can read.
/// </summary>
public sealed class PostgresServer
{
    private readonly NpgsqlConnectionStringBuilder settings;

    public PostgresServer(string connection)
    {
        try
        {
            settings = PostgresAddress.Parse(connection);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new JournalException(JournalFault.Foreign, $"the journal's address cannot be read ({e.Message}); write " +
                $"'Host=db;Database=danas;Username=danas' or 'postgres://danas@db/danas'", e);
        }

        if (!string.IsNullOrEmpty(settings.Password))
            throw new JournalException(JournalFault.Foreign,
                "the journal's address contains a password, which every user of this machine can read; put it in PGPASSWORD or in the " +
                    "file specified by PGPASSFILE");
        settings.Pooling = false;
        settings.Timeout = 5;
        settings.CommandTimeout = 5;
        settings.KeepAlive = 5;
        if (!PostgresAddress.OnSocket(settings))
        {
            settings.TcpKeepAlive = true;
            settings.TcpKeepAliveTime = 5;
            settings.TcpKeepAliveInterval = 2;
        }

        settings.ApplicationName ??= "danas";
        settings.IncludeErrorDetail = true;
    }

    private const string IdleInTransaction = "-c idle_in_transaction_session_timeout=5s";

    /// <summary>Host, port and data base, for messages.</summary>
    public string Name => Invariant($"PostgreSQL {settings.Host}:{settings.Port}/{settings.Database}");

    /// <summary>
    /// For a library that keeps a pool of sessions; their settings are those that <see cref="OpenAsync"/> has checked. A writer that froze
    /// within a transaction would hold the fence's lock against who takes over: the server ends such a session.
    /// </summary>
    public string PooledConnection => new NpgsqlConnectionStringBuilder(settings.ToString())
    {
        Pooling = true,
        MaxPoolSize = 8,
        Options = string.IsNullOrEmpty(settings.Options) ? IdleInTransaction : $"{settings.Options} {IdleInTransaction}",
    }.ToString();

    /// <summary>
    /// A session of its own, checked: commits must reach the disk, and it must really be one session (a transaction pooler gives another
    /// server process to each transaction, and would break locks and fencing unseen).
    /// </summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The caller has it.")]
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellation = default)
    {
        NpgsqlConnection connection = new(settings.ToString());
        try
        {
            await connection.OpenAsync(cancellation);
            await using NpgsqlCommand command = new("SET TIME ZONE 'UTC'; SHOW synchronous_commit", connection);
            if (await command.ExecuteScalarAsync(cancellation) is "off")
                throw new JournalException(JournalFault.Foreign, $"{Name} runs with synchronous_commit=off: what it acknowledges can be " +
                    $"lost in a crash; set it to on for this user (ALTER ROLE ... SET synchronous_commit = on)");
            return connection;
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            await connection.DisposeAsync();
            throw PostgresFaults.Of(Name, e);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes the tables, and refuses a transaction pooler. Throws <see cref="JournalException"/>.</summary>
    public async Task PrepareAsync()
    {
        await using NpgsqlConnection first = await OpenAsync();
        await using NpgsqlConnection second = await OpenAsync();
        try
        {
            await RefusePoolerAsync(first, second);
            await PostgresSchema.MigrateAsync(first);
        }
        catch (InvalidDataException e)
        {
            throw new JournalException(JournalFault.Foreign, $"{Name}: {e.Message}", e);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Of(Name, e);
        }
    }

    /// <summary>While one connection holds a transaction, the other must still have the server process that it had before.</summary>
    private async Task RefusePoolerAsync(NpgsqlConnection first, NpgsqlConnection second)
    {
        int before = await BackendAsync(first);
        await using NpgsqlTransaction holding = await second.BeginTransactionAsync();
        int other = await BackendAsync(second);
        int after = await BackendAsync(first);
        if (before != after || before == other)
            throw new JournalException(JournalFault.Foreign, $"{Name} is behind a transaction pooler: session locks do not work there; " +
                $"connect to the server directly, or to a pool in session mode");
    }

    private static async Task<int> BackendAsync(NpgsqlConnection connection)
    {
        await using NpgsqlCommand command = new("SELECT pg_backend_pid()", connection);
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
