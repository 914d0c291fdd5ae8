using DaNas.Actors.Journals;
using DaNas.Runtime.Journal.Postgres;
using Npgsql;

namespace DaNas.Actors.Tests;

/// <summary>What only PostgreSQL has: lost sessions, settings that would lose data, migrations, clusters side by side.</summary>
public sealed class PostgresTests
{
    private const string Id = "search-x";

    [PostgresFact]
    public async Task A_server_that_may_lose_what_it_acknowledged_is_refused()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        await using (NpgsqlConnection connection = await stores.Server.OpenAsync())
        await using (NpgsqlCommand command = new($"ALTER DATABASE {connection.Database} SET synchronous_commit = off", connection))
            await command.ExecuteNonQueryAsync();
        JournalException refused = await Should.ThrowAsync<JournalException>(() => stores.Server.OpenAsync());
        refused.Fault.ShouldBe(JournalFault.Foreign);
        refused.Message.ShouldContain("synchronous_commit");
    }

    [PostgresFact]
    public async Task Tables_of_every_earlier_version_are_brought_up_and_newer_ones_refused()
    {
        for (int version = 0; version <= PostgresSchema.Newest; version++)
        {
            await using JournalStores stores = await JournalStores.NewAsync("postgres");
            await using (NpgsqlConnection connection = await stores.Server.OpenAsync())
                await PostgresSchema.MigrateAsync(connection, version);
            if (version > 0)
                await stores.TamperAsync("INSERT INTO danas_writer (persistence_id, epoch, writer_uuid) VALUES ('search-x', 6, 'w')");
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => stores.Server.PrepareAsync()));
            IEventJournal journal = await stores.OpenAsync();
            (await journal.AcquireAsync(Id)).ShouldBe(version > 0 ? 7 : 1);
            (await journal.AppendAsync(Id, 0, [JournalContract.Event(1)])).ShouldBe(1);
            await stores.TamperAsync("UPDATE danas_schema SET version = 99 WHERE version = (SELECT max(version) FROM danas_schema)");
            (await Should.ThrowAsync<JournalException>(() => stores.Server.PrepareAsync())).Message.ShouldContain("newer");
        }
    }

    [PostgresFact]
    public async Task A_password_in_the_address_and_a_server_that_is_not_there_are_said_clearly()
    {
        Should.Throw<JournalException>(() => new PostgresServer("postgres://danas:secret@db/danas")).Message.ShouldContain("PGPASSWORD");
        Should.Throw<JournalException>(() => new PostgresServer("nonsense=1")).Message.ShouldContain("postgres://");
        JournalException gone = await Should.ThrowAsync<JournalException>(
            () => new PostgresServer("postgres://danas@127.0.0.1:1/danas").OpenAsync());
        gone.Fault.ShouldBe(JournalFault.Unavailable);
        gone.Message.ShouldContain("127.0.0.1:1");
        (await Should.ThrowAsync<JournalException>(() => new PostgresServer(JournalStores.Address("no_such_data_base")).OpenAsync())).Fault
            .ShouldBe(JournalFault.Foreign);
    }

    /// <summary>Addresses as libpq reads them (PostgreSQL's manual, 34.1.1.2), and as Npgsql does.</summary>
    [Theory]
    [InlineData("postgres://danas@db/danas", "db:5432/danas")]
    [InlineData("postgresql://danas@db:5433/danas?sslmode=verify-full&sslrootcert=/ca.pem", "db:5433/danas")]
    [InlineData("postgres://db/danas?sslmode=verify-ca&connect_timeout=10&application_name=me&keepalives_idle=3", "db:5432/danas")]
    [InlineData("postgres://db/danas?target_session_attrs=read-write&user=danas", "db:5432/danas")]
    [InlineData("postgres://db/?dbname=other&port=5444", "db:5444/other")]
    [InlineData("postgres://[::1]:5433/danas", "::1:5433/danas")]
    [InlineData("postgres://%2Fvar%2Frun%2Fpostgresql/danas", "/var/run/postgresql:5432/danas")]
    [InlineData("postgres:///danas?host=/tmp/pg&port=5435", "/tmp/pg:5435/danas")]
    [InlineData("postgres://da%40nas@db/my%20base", "db:5432/my base")]
    [InlineData("Host=db;Database=danas;Port=6000", "db:6000/danas")]
    public void Addresses_are_read(string address, string name) => new PostgresServer(address).Name.ShouldBe($"PostgreSQL {name}");

    [Theory]
    [InlineData("postgres:///danas")]
    [InlineData("Database=danas")]
    public void An_address_without_a_host_means_this_machine(string address) =>
        new PostgresServer(address).Name.ShouldMatch("PostgreSQL (localhost|/.+):[0-9]+/danas");

    [Theory]
    [InlineData(" ", "blank")]
    [InlineData("mysql://db/danas", "'mysql' is not postgres")]
    [InlineData("postgres://a,b:5433/danas", "several hosts")]
    [InlineData("Host=a,b;Database=danas", "several hosts")]
    [InlineData("postgres://db:port/danas", "'port' is not a valid port")]
    [InlineData("postgres://db/danas?sslmode=sometimes", "'sslmode' cannot be 'sometimes'")]
    [InlineData("postgres://db/danas?target_session_attrs=standby", "target_session_attrs")]
    [InlineData("postgres://db/danas?colour=red", "unknown parameter 'colour'; supported parameters are host")]
    [InlineData("postgres://db/danas?sslmode", "has no value")]
    [InlineData("postgres://db/danas?passfile=/no/such/file", "/no/such/file is missing")]
    public void An_address_that_cannot_be_read_is_refused_with_what_is_wrong(string address, string why)
    {
        JournalException e = Should.Throw<JournalException>(() => new PostgresServer(address));
        e.Fault.ShouldBe(JournalFault.Foreign);
        e.Message.ShouldContain(why);
        e.Message.ShouldContain("postgres://danas@db/danas");
    }

    [Fact]
    public void Parameters_of_libpq_arrive_under_the_names_of_Npgsql()
    {
        NpgsqlConnectionStringBuilder read = PostgresAddress.Parse(
            "postgres://u%40x@db/danas?sslmode=verify-full&sslrootcert=/ca.pem&application_name=me&hostaddr=10.0.0.1&connect_timeout=3");
        (read.Username, read.SslMode, read.RootCertificate, read.ApplicationName, read.Host)
            .ShouldBe(("u@x", SslMode.VerifyFull, "/ca.pem", "me", "db"));
    }

    /// <summary>What may pass must be waited for: a search of days must not end since a server was restarting.</summary>
    [Fact]
    public void Faults_that_may_pass_are_waited_for_and_only_those()
    {
        PostgresFaults.Heals(new NpgsqlException("x", new System.Net.Sockets.SocketException(
            (int)System.Net.Sockets.SocketError.ConnectionRefused))).ShouldBeTrue();
        PostgresFaults.Heals(new NpgsqlException("Received unknown response E for SSLRequest (expecting S or N)")).ShouldBeTrue();
        PostgresFaults.Heals(new NpgsqlException("x", new System.Security.Authentication.AuthenticationException("expired")))
            .ShouldBeTrue();
        PostgresFaults.Heals(new NpgsqlException("SSL connection requested. No SSL enabled connection from this host is configured."))
            .ShouldBeFalse();
        PostgresFaults.Heals(new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.OperationNotSupported))
            .ShouldBeFalse();
    }

    [PostgresFact]
    public async Task What_no_waiting_heals_is_not_said_to_heal()
    {
        string plain = $"{JournalStores.Address("postgres")}{(JournalStores.Address(
            "postgres").Contains('?', StringComparison.Ordinal) ? '&' : '?')}sslmode=require";
        JournalException e = await Should.ThrowAsync<JournalException>(() => new PostgresServer(plain).OpenAsync());
        e.Fault.ShouldBe(JournalFault.Foreign);
        e.Message.ShouldContain("sslmode");
    }

    [PostgresFact]
    public async Task A_search_of_another_cluster_is_left_alone()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        IEventJournal alone = await stores.OpenAsync();
        await alone.AcquireAsync(Id);
        await alone.AppendAsync(Id, 0, [JournalContract.Event(1)]);
        using PostgresJournal clustered = await PostgresJournal.OpenAsync(stores.Server, null, "one");
        JournalException refused = await Should.ThrowAsync<JournalException>(() => clustered.AcquireAsync(Id));
        refused.Fault.ShouldBe(JournalFault.Foreign);
        refused.Message.ShouldContain("single machine");
        (await alone.AppendAsync(Id, 1, [JournalContract.Event(2)])).ShouldBe(2); // It is still the writer.
        await clustered.AcquireAsync("search-y");
        (await Should.ThrowAsync<JournalException>(() => alone.AcquireAsync("search-y"))).Message.ShouldContain("cluster 'one'");
    }

    [PostgresFact]
    public async Task Clusters_that_share_a_data_base_and_searches_of_one_machine_leave_each_other_alone()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        await stores.Server.PrepareAsync();
        using PostgresJournal ofX = await PostgresJournal.OpenAsync(stores.Server, null, "x");
        using PostgresJournal ofY = await PostgresJournal.OpenAsync(stores.Server, null, "y");
        PostgresJournal alone = (PostgresJournal)await stores.OpenAsync();
        foreach ((PostgresJournal journal, string id) in new[] { (ofX, "search-x"), (ofY, "search-y"), (alone, "search-z") })
        {
            await journal.AcquireAsync(id);
            await journal.AppendAsync(id, 0, [JournalContract.Event(1)]);
        }

        (await ofX.UnfinishedAsync([])).ShouldBe(["search-x"]);
        (await ofY.UnfinishedAsync([])).ShouldBe(["search-y"]);
        (await alone.UnfinishedAsync([])).ShouldBe(["search-z"]);
        (await ofX.UnfinishedAsync(["attempt-failed/1"])).ShouldBeEmpty();
    }
}
