using System.Collections.Concurrent;
using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Journal;
using Microsoft.Data.Sqlite;

namespace DaNas.Actors.Tests;

/// <summary>
/// What the product adds to Akka's actors, over Akka.Persistence.Sql and a real data base: writers that seal what they store, and mailboxes
/// with a bound.
/// </summary>
public sealed class AkkaHostTests : IStateLog, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string folder = Directory.CreateTempSubdirectory("danas-akka-").FullName;
    private readonly ConcurrentQueue<StateChange> lines = new();
    private readonly ConcurrentQueue<object> received = new();
    private readonly SemaphoreSlim arrived = new(0);

    private string DataBase => Path.Combine(folder, "journal.db");

    public void Dispose()
    {
        arrived.Dispose();
        Directory.Delete(folder, true);
    }

    void IStateLog.Write(string actor, DateTimeOffset at, StateChange change)
    {
        lines.Enqueue(change);
        if (change.Event == LogEvent.JournalUnavailable)
            Execute("DROP TRIGGER IF EXISTS full");
    }

    [Fact]
    public async Task Persisting_holds_back_what_follows_and_the_reply_goes_out_after_the_store()
    {
        using SqliteJournal journal = SqliteJournal.Open(DataBase);
        await using AkkaHost host = await StartAsync(journal);
        IActorRef counter = Counter(host);
        for (int i = 0; i < 50; i++)
            counter.Tell(new Add(1));
        (await WaitForAsync(51)).ShouldBe(Enumerable.Range(1, 50).Select(n => (object)$"stored {n} at {n}").Prepend("recovered 0"));
    }

    [Fact]
    public async Task Several_events_of_one_persist_are_stored_all_together_and_recovered_by_another_process()
    {
        using (SqliteJournal journal = SqliteJournal.Open(DataBase))
        {
            await using AkkaHost host = await StartAsync(journal);
            Counter(host).Tell(new Add(3));
            (await WaitForAsync(2))[1].ShouldBe("stored 3 at 3");
        }

        using SqliteJournal next = SqliteJournal.Open(DataBase);
        await using AkkaHost again = await StartAsync(next);
        Counter(again).Tell(new Add(1));
        (await WaitForAsync(4)).Skip(2).ShouldBe(["recovered 3", "stored 4 at 4"]);
    }

    [Fact]
    public async Task A_failed_persist_rebuilds_the_writer_from_the_journal_and_an_outage_is_said_once()
    {
        using SqliteJournal journal = SqliteJournal.Open(DataBase);
        await using AkkaHost host = await StartAsync(journal);
        IActorRef counter = Counter(host);
        counter.Tell(new Add(1));
        await WaitForAsync(2);
        Execute("CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'the disk is full (test)'); END");
        counter.Tell(new Add(1));
        (await WaitForAsync(3))[2].ShouldBe("recovered 1");
        counter.Tell(new Add(1));
        (await WaitForAsync(4))[3].ShouldBe("stored 2 at 2");
        lines.Count(l => l.Event == LogEvent.JournalUnavailable).ShouldBe(1);
        lines.Count(l => l.Event == LogEvent.JournalAvailable).ShouldBe(1);
        host.Fatal.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_writer_that_always_throws_ends_and_so_does_its_host()
    {
        using SqliteJournal journal = SqliteJournal.Open(DataBase);
        await using AkkaHost host = await StartAsync(journal);
        IActorRef counter = Counter(host);
        for (int i = 1; i <= SaidStrategy.Most + 1; i++)
        {
            await WaitForAsync(i);
            counter.Tell(new Add(0));
        }

        (await host.Fatal.WaitAsync(Patience)).ShouldContain("/counter ended");
        lines.Count(l => l.Event == LogEvent.ActorRestarted).ShouldBe(SaidStrategy.Most);
        lines.Count(l => l.Event == LogEvent.ActorFailed).ShouldBe(1);
    }

    /// <summary>What no rebuilding heals ends the host at once, and says what it is.</summary>
    [Theory]
    [InlineData("UPDATE journal SET identifier = 17, manifest = 'S', message = x'6869' WHERE sequence_number = 3",
        "c1: a row cannot be read (Cannot find serializer with id [17]")]
    [InlineData("UPDATE journal SET identifier = 4, manifest = '' WHERE sequence_number = 3",
        "event 3 of c1 is a Byte[]: it was written by another program")]
    [InlineData("UPDATE journal SET message = substr(message, 1, 30) WHERE sequence_number = 2",
        "c1: event 2 is not an envelope of this product")]
    [InlineData("UPDATE journal SET writer_uuid = 'another' WHERE sequence_number = 2", "c1: rows of two writers are mixed")]
    [InlineData("UPDATE journal SET message = CAST(replace(message, 'a', 'b') AS BLOB) WHERE sequence_number = 2",
        "restore the journal from a backup")]
    [InlineData("DELETE FROM journal WHERE sequence_number = 3", "ends at event 2, but event 3 was acknowledged")]
    [InlineData("", "the head anchor is damaged")]
    public async Task A_damaged_journal_ends_its_host_at_once(string damage, string said)
    {
        string headFile = Path.Combine(folder, "journal.head");
        using (SqliteJournal journal = SqliteJournal.Open(DataBase, _ => headFile))
        {
            await using AkkaHost host = await StartAsync(journal);
            IActorRef counter = Counter(host);
            for (int i = 0; i < 3; i++)
                counter.Tell(new Add(1));
            await WaitForAsync(4);
        }

        if (damage.Length > 0)
            Execute(damage);
        else
            await File.WriteAllBytesAsync(headFile, new byte[new FileInfo(headFile).Length]);
        using SqliteJournal next = SqliteJournal.Open(DataBase, _ => headFile);
        await using AkkaHost again = await StartAsync(next);
        Counter(again);
        (await again.Fatal.WaitAsync(Patience)).ShouldContain(said);
        // Its supervisor does not build it again.
        await ((Task)again.System.ActorSelection("/user/counter").ResolveOne(TimeSpan.FromSeconds(5)))
            .ShouldThrowAsync<ActorNotFoundException>();
        received.Count.ShouldBe(4); // It did not come up.
        lines.Count(l => l.Event == LogEvent.ActorFailed).ShouldBe(1);
        lines.ShouldAllBe(l => l.Event != LogEvent.JournalUnavailable);
    }

    [Fact]
    public async Task Overflow_is_counted_and_drops_protocol_messages_alone()
    {
        await using AkkaHost host = await StartAsync(null, "danas.mailbox.capacity = 10");
        using ManualResetEventSlim gate = new();
        IActorRef slow = host.Listen("slow", m =>
        {
            gate.Wait(Patience);
            Receive(m);
        });
        for (int i = 0; i < 100; i++)
        {
            slow.Tell(new ClusterProtocol.NodeNoted());
            slow.Tell(i);
        }

        slow.Tell("end");
        gate.Set();
        object[] all = await WaitForAsync(101);
        for (int count = 102; all[^1] is not "end"; count++)
            all = await WaitForAsync(count);
        all.OfType<int>().ShouldBe(Enumerable.Range(0, 100));
        host.Overflowed.ShouldBe(100 - all.OfType<ClusterProtocol.NodeNoted>().Count());
        host.Overflowed.ShouldBeInRange(85, 95);
        lines.Count(l => l.Event == LogEvent.MailboxOverflow).ShouldBe(1);
    }

    /// <summary>A writer that was taken over is refused by the store itself, and its host says so.</summary>
    [Theory]
    [MemberData(nameof(JournalStores.Names), MemberType = typeof(JournalStores))]
    public async Task A_writer_that_was_taken_over_cannot_store_and_its_host_ends(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync();
        await using AkkaHost host = await StartAsync(journal);
        IActorRef counter = Counter(host);
        counter.Tell(new Add(1));
        await WaitForAsync(2);
        IEventJournal other = await stores.OpenAsync();
        (await other.AcquireAsync("c1")).ShouldBe(2);
        counter.Tell(new Add(1));
        (await host.Fatal.WaitAsync(Patience)).ShouldContain("another process took");
        (await other.ReadAsync("c1")).Count.ShouldBe(1);
        (await other.AppendAsync("c1", 1, [JournalContract.Event(2)])).ShouldBe(2);
    }

    /// <summary>
    /// A writer that is rebuilt after another one took over would take that one's events for its own, and go on under that one's epoch.
    /// </summary>
    [Theory]
    [MemberData(nameof(JournalStores.Names), MemberType = typeof(JournalStores))]
    public async Task A_writer_that_was_taken_over_is_not_rebuilt_from_its_successors_events(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        IEventJournal journal = await stores.OpenAsync();
        await using AkkaHost host = await StartAsync(journal);
        IActorRef counter = Counter(host);
        counter.Tell(new Add(1));
        await WaitForAsync(2);
        IEventJournal other = await stores.OpenAsync();
        await other.AcquireAsync("c1");
        await other.AppendAsync("c1", 1, [JournalContract.Event(2)]);
        counter.Tell(new Add(0)); // Throws, and is rebuilt.
        (await host.Fatal.WaitAsync(Patience)).ShouldContain("another process has taken over c1");
        received.ShouldBe(["recovered 0", "stored 1 at 1"]);
    }

    private async Task<AkkaHost> StartAsync(IEventJournal? journal, string more = "")
    {
        if (journal is not null)
            await journal.AcquireAsync("c1");
        if (journal is IFencedTables tables)
            await tables.FenceAsync();
        string timings = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "hocon", "akka", "reference.conf"));
        return await AkkaHost.StartAsync($"{timings}\n{(more.Length == 0 ? SerializedMessages.Hocon : more)}",
            journal as IFencedTables, this);
    }

    private IActorRef Counter(AkkaHost host)
    {
        IActorRef sink = host.Listen("sink", m => Receive(((Said)m).Text));
        WritersJournal written = host.Journal;
        WriterHealth health = new();
        return host.Spawn("counter", SealedPersistentActor.Supervised(
            Props.Create(() => new CountingActor("c1", sink, written, health)), "writer", health));
    }

    private void Receive(object message)
    {
        received.Enqueue(message);
        arrived.Release();
    }

    private async Task<object[]> WaitForAsync(int count)
    {
        while (received.Count < count)
        {
            if (!await arrived.WaitAsync(Patience))
                throw new TimeoutException($"{received.Count} of {count} messages came: {string.Join(", ", received)}");
        }

        return [.. received];
    }

    private void Execute(string sql)
    {
        using SqliteConnection connection = new($"Data Source={DataBase};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed record Add(int Count) : INoSerializationVerificationNeeded;

    private sealed record Said(string Text) : INoSerializationVerificationNeeded;

    /// <summary>Counts stored events; events are real ones, so that the wire format is in the way.</summary>
    private sealed class CountingActor : SealedPersistentActor
    {
        private readonly IActorRef sink;
        private int count;

        public CountingActor(string id, IActorRef sink, WritersJournal journal, WriterHealth health)
            : base(id, journal, health)
        {
            this.sink = sink;
            Command<Add>(m => PersistSealed([.. Enumerable.Range(0, m.Count == 0 ? throw new InvalidOperationException("on purpose")
                : m.Count).Select(i => new SearchEvent.AttemptFailed($"unit-{i}", 1, "test", false, new Timing(0)))], () =>
            {
                count += m.Count;
                sink.Tell(new Said($"stored {count} at {LastSequenceNr}"));
            }));
        }

        protected override void Apply(object stored) => count++;

        protected override void Recovered() => sink.Tell(new Said($"recovered {count}"));
    }
}
