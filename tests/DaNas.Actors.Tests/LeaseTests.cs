using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Coordination;
using DaNas.Runtime.Akka;
using Npgsql;

namespace DaNas.Actors.Tests;

/// <summary>The lease of the split-brain resolver and of the singleton, in a real PostgreSQL.</summary>
public sealed class LeaseTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private readonly List<ActorSystem> systems = [];
    private JournalStores stores = null!;

    public async Task InitializeAsync()
    {
        if (JournalStores.Postgres is null)
            return;
        stores = await JournalStores.NewAsync("postgres");
        await stores.Server.PrepareAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (ActorSystem system in systems)
            await system.Terminate();
        if (stores is not null)
            await stores.DisposeAsync();
    }

    [PostgresFact]
    public async Task Releasing_one_lease_leaves_the_other()
    {
        LeaseStore node = Node("c");
        PostgresLease resolver = Lease(node, "resolver"), singleton = Lease(node, "singleton");
        (await resolver.Acquire()).ShouldBeTrue();
        (await singleton.Acquire()).ShouldBeTrue();
        (await resolver.Release()).ShouldBeTrue();
        resolver.CheckLease().ShouldBeFalse();
        singleton.CheckLease().ShouldBeTrue();
        LeaseStore other = Node("c");
        (await Lease(other, "resolver").Acquire()).ShouldBeTrue();
        (await Lease(other, "singleton", 1).Acquire()).ShouldBeFalse();
    }

    [PostgresFact]
    public async Task Clusters_of_other_names_do_not_share_a_lease()
    {
        (await Lease(Node("one"), "singleton").Acquire()).ShouldBeTrue();
        (await Lease(Node("two"), "singleton").Acquire()).ShouldBeTrue();
    }

    /// <summary>A killed process: its session is gone, and whoever waits has the lease.</summary>
    [PostgresFact]
    public async Task Whoever_waits_has_it_when_the_holders_session_ends_and_the_holder_hears_of_it()
    {
        LeaseStore first = Node("c");
        TaskCompletionSource<Exception> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        PostgresLease held = Lease(first, "singleton");
        (await held.Acquire(e => told.TrySetResult(e))).ShouldBeTrue();
        Task<bool> waiting = Lease(Node("c"), "singleton").Acquire();
        await stores.TamperAsync("SELECT pg_terminate_backend(backend) FROM danas_lease WHERE name = 'c/singleton'");
        (await waiting.WaitAsync(Soon)).ShouldBeTrue();
        await told.Task.WaitAsync(Soon);
        held.CheckLease().ShouldBeFalse();
    }

    /// <summary>A frozen process holds lock and session, and renews nothing.</summary>
    [PostgresFact]
    public async Task A_holder_whose_row_stands_still_is_ended_by_whoever_waits()
    {
        await using NpgsqlConnection frozen = await stores.Server.OpenAsync();
        await using (NpgsqlCommand take = new("SELECT pg_advisory_lock(hashtextextended('c/singleton', 0)); INSERT INTO danas_lease " +
            "VALUES ('c/singleton', 41, 'frozen', '', pg_backend_pid(), clock_timestamp())", frozen))
            await take.ExecuteNonQueryAsync();
        (await Lease(Node("c"), "singleton").Acquire().WaitAsync(Soon)).ShouldBeTrue();
        await using NpgsqlCommand ask = new("SELECT 1", frozen);
        await Should.ThrowAsync<NpgsqlException>(() => ask.ExecuteScalarAsync());
    }

    [PostgresFact]
    public async Task A_holder_that_renews_keeps_it_however_long_others_wait()
    {
        PostgresLease held = Lease(Node("c"), "singleton");
        (await held.Acquire()).ShouldBeTrue();
        (await Lease(Node("c"), "singleton").Acquire()).ShouldBeFalse(); // 6 s, twice the time to live.
        held.CheckLease().ShouldBeTrue();
    }

    private LeaseStore Node(string cluster) => new(stores.Server, cluster);

    private PostgresLease Lease(LeaseStore store, string name, int patienceSeconds = 6)
    {
        ActorSystem system = ActorSystem.Create("lease", BootstrapSetup.Create()
            .WithConfig(ConfigurationFactory.ParseString("akka.stdout-loglevel = OFF, akka.loglevel = OFF")).And(store));
        systems.Add(system);
        return new PostgresLease(new LeaseSettings(name, "test", new TimeoutSettings(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3),
            TimeSpan.FromSeconds(patienceSeconds)), Config.Empty), (ExtendedActorSystem)system);
    }
}
