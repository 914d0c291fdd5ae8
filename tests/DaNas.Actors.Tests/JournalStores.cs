using DaNas.Actors.Journals;
using DaNas.Runtime.Journal;
using DaNas.Runtime.Journal.Postgres;
using Npgsql;

namespace DaNas.Actors.Tests;

/// <summary>
/// A fact that needs PostgreSQL: scripts/test.sh starts one and names it in DANAS_TEST_POSTGRES; elsewhere it is skipped.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute()
    {
        if (JournalStores.Postgres is null)
            Skip = "no PostgreSQL: install the package postgresql, then eval \"$(./scripts/postgres.sh start)\" and " +
                "DANAS_TEST_POSTGRES=$DANAS_JOURNAL; scripts/test.sh does both";
    }
}

/// <summary>
/// The stores of the journal that are there: SQLite always, PostgreSQL where one was named. Each test gets a data base of its own.
/// </summary>
internal sealed class JournalStores : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("danas-journal-").FullName;
    private readonly string? database;
    private readonly List<IEventJournal> opened = [];

    private JournalStores(string? database) => this.database = database;

    public static string? Postgres => Environment.GetEnvironmentVariable("DANAS_TEST_POSTGRES") is { Length: > 0 } address ? address : null;

    public static TheoryData<string> Names => Postgres is null ? ["sqlite"] : ["sqlite", "postgres"];

    public string Anchor => Path.Combine(folder, "journal.head");

    public PostgresServer Server => new(Address(database!));

    public static async Task<JournalStores> NewAsync(string name)
    {
        if (name != "postgres")
            return new JournalStores(null);
        string database = $"t{Guid.NewGuid():N}";
        await ExecuteAsync("postgres", $"CREATE DATABASE {database}");
        return new JournalStores(database);
    }

    public async Task<IEventJournal> OpenAsync(bool heads = false)
    {
        Func<string, string>? headOf = heads ? _ => Anchor : null;
        IEventJournal journal = database is null ? SqliteJournal.Open(Path.Combine(folder, "journal.db"), headOf)
            : await PostgresJournal.OpenAsync(Server, headOf);
        opened.Add(journal);
        return journal;
    }

    /// <summary>Runs a statement behind the journal's back; the rows that it changed.</summary>
    public async Task<int> TamperAsync(string sql)
    {
        if (database is not null)
            return await ExecuteAsync(database, sql);
        await using Microsoft.Data.Sqlite.SqliteConnection connection =
            new($"Data Source={Path.Combine(folder, "journal.db")};Pooling=False");
        await connection.OpenAsync();
        await using Microsoft.Data.Sqlite.SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IEventJournal journal in opened)
            journal.Dispose();
        Directory.Delete(folder, true);
        if (database is not null)
            await ExecuteAsync("postgres", $"DROP DATABASE {database} WITH (FORCE)");
    }

    /// <summary>Ends every session of the data base, as an administrator or a failover does.</summary>
    public Task EndSessionsAsync() => ExecuteAsync("postgres",
        $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");

    public static async Task<int> ExecuteAsync(string database, string sql)
    {
        await using NpgsqlConnection connection = await new PostgresServer(Address(database)).OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    public static string Address(string database) => Postgres![..(Postgres!.LastIndexOf('/') + 1)] + database;
}
