using DaNas.Actors.Embedded.Postgres;
using DaNas.Actors.Journals;
using Npgsql;

namespace DaNas.Actors.Tests;

/// <summary>What only PostgreSQL has: lost sessions, settings that would lose data, migrations, the lease.</summary>
public sealed class PostgresTests
{
    private const string Id = "search-x";

    [PostgresFact]
    public async Task A_lost_session_is_an_outage_and_the_next_append_goes_on()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        IEventJournal journal = await stores.OpenAsync();
        await journal.AcquireAsync(Id);
        await journal.AppendAsync(Id, 0, [JournalContract.Event(1)]);
        await stores.EndSessionsAsync();
        (await Should.ThrowAsync<JournalException>(() => journal.AppendAsync(Id, 1, [JournalContract.Event(2)]))).Fault.ShouldBe(JournalFault.Unavailable);
        (await journal.AppendAsync(Id, 1, [JournalContract.Event(2)])).ShouldBe(2);
    }

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
        JournalException gone = await Should.ThrowAsync<JournalException>(() => new PostgresServer("postgres://danas@127.0.0.1:1/danas").OpenAsync());
        gone.Fault.ShouldBe(JournalFault.Unavailable);
        gone.Message.ShouldContain("127.0.0.1:1");
        (await Should.ThrowAsync<JournalException>(() => new PostgresServer(JournalStores.Address("no_such_data_base")).OpenAsync())).Fault.ShouldBe(JournalFault.Foreign);
    }

    [PostgresFact]
    public async Task One_leads_and_when_its_session_ends_another_does_at_once_and_the_first_cannot_write()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        await stores.Server.PrepareAsync();
        await using PostgresTenure first = await Lease(stores, "a").WinAsync(CancellationToken.None);
        first.Epoch.ShouldBe(1);
        IEventJournal journal = PostgresJournal.Over(stores.Server, first, TimeProvider.System, null);
        await journal.AcquireAsync(Id);
        await journal.AppendAsync(Id, 0, [JournalContract.Event(1)]);
        Task<PostgresTenure> waiting = Lease(stores, "b").WinAsync(CancellationToken.None);
        await Task.Delay(300);
        waiting.IsCompleted.ShouldBeFalse();
        await stores.TamperAsync("SELECT pg_terminate_backend(backend) FROM danas_lease");
        await using PostgresTenure second = await waiting;
        second.Epoch.ShouldBe(2);
        (await Should.ThrowAsync<JournalException>(() => journal.AppendAsync(Id, 1, [JournalContract.Event(2)]))).Fault.ShouldBe(JournalFault.Unavailable);
        (await Should.ThrowAsync<JournalException>(() => journal.AppendAsync(Id, 1, [JournalContract.Event(2)]))).Fault.ShouldBe(JournalFault.Fenced);
        (await first.Lost).ShouldContain("another coordinator");
        journal.Dispose();
    }

    [PostgresFact]
    public async Task A_leader_that_does_not_renew_is_ended()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        await stores.Server.PrepareAsync();
        await using (NpgsqlConnection frozen = await stores.Server.OpenAsync())
        {
            await using NpgsqlCommand take = new("SELECT pg_advisory_lock(hashtextextended('danas cluster test', 0)); INSERT INTO danas_lease VALUES ('test', 41, 'frozen', 'nowhere', pg_backend_pid(), clock_timestamp())", frozen);
            await take.ExecuteNonQueryAsync();
            await using PostgresTenure next = await Lease(stores, "b").WinAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
            next.Epoch.ShouldBe(42);
        }
    }

    [PostgresFact]
    public async Task A_coordinator_that_freezes_between_winning_the_lock_and_leading_keeps_nobody_waiting()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        await stores.Server.PrepareAsync();
        await using NpgsqlConnection frozen = await stores.Server.OpenAsync();
        await using (NpgsqlCommand take = new("SELECT pg_advisory_lock(hashtextextended('danas cluster one', 0)), pg_advisory_lock(hashtextextended('danas cluster other', 0))", frozen))
            await take.ExecuteNonQueryAsync();
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(40));
        await using PostgresTenure tenure = await new PostgresLease(stores.Server, new Candidate("one", "b", "http://b")).WinAsync(patience.Token);
        tenure.Epoch.ShouldBe(1);
    }

    [PostgresFact]
    public async Task A_search_of_another_cluster_is_left_alone()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        IEventJournal alone = await stores.OpenAsync();
        await alone.AcquireAsync(Id);
        await alone.AppendAsync(Id, 0, [JournalContract.Event(1)]);
        await using PostgresTenure tenure = await new PostgresLease(stores.Server, new Candidate("one", "b", "http://b")).WinAsync(CancellationToken.None);
        using PostgresJournal clustered = PostgresJournal.Over(stores.Server, tenure, TimeProvider.System, null);
        JournalException refused = await Should.ThrowAsync<JournalException>(() => clustered.AcquireAsync(Id));
        refused.Fault.ShouldBe(JournalFault.Foreign);
        refused.Message.ShouldContain("single machine");
        (await alone.AppendAsync(Id, 1, [JournalContract.Event(2)])).ShouldBe(2); // It is still the writer.
        await clustered.AcquireAsync("search-y");
        (await Should.ThrowAsync<JournalException>(() => alone.AcquireAsync("search-y"))).Message.ShouldContain("cluster 'one'");
    }

    [PostgresFact]
    public async Task One_bad_append_among_many_fails_alone_and_the_journal_goes_on()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        IEventJournal journal = await stores.OpenAsync();
        IEventJournal other = await stores.OpenAsync();
        string[] ids = [.. Enumerable.Range(0, 12).Select(i => $"search-{i}")];
        foreach (string id in ids)
            await journal.AcquireAsync(id);
        await other.AcquireAsync(ids[5]); // Taken over: its append is fenced.
        Task<long>[] appends = [.. ids.Select(id => journal.AppendAsync(id, 0, [JournalContract.Event(1)]))];
        JournalException fenced = await Should.ThrowAsync<JournalException>(() => appends[5]);
        fenced.Fault.ShouldBe(JournalFault.Fenced);
        (await Task.WhenAll(appends.Where((_, i) => i != 5))).ShouldAllBe(last => last == 1);
        (await journal.AppendAsync(ids[0], 1, [JournalContract.Event(2)])).ShouldBe(2);
    }

    [PostgresFact]
    public async Task Clusters_that_share_a_data_base_and_searches_of_one_machine_leave_each_other_alone()
    {
        await using JournalStores stores = await JournalStores.NewAsync("postgres");
        await stores.Server.PrepareAsync();
        await using PostgresTenure x = await new PostgresLease(stores.Server, new Candidate("x", "a", "http://nowhere")).WinAsync(CancellationToken.None);
        await using PostgresTenure y = await new PostgresLease(stores.Server, new Candidate("y", "a", "http://nowhere")).WinAsync(CancellationToken.None);
        using PostgresJournal ofX = PostgresJournal.Over(stores.Server, x, TimeProvider.System, null);
        using PostgresJournal ofY = PostgresJournal.Over(stores.Server, y, TimeProvider.System, null);
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

    private static PostgresLease Lease(JournalStores stores, string name) => new(stores.Server, new Candidate("test", name, "http://nowhere"));
}
