using DaNas.Actors.Akka;
using DaNas.Journal;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using Microsoft.Data.Sqlite;

namespace DaNas.Actors.Tests;

/// <summary>The Akka host over Akka.Persistence.Sql and a real SQLite file.</summary>
public sealed class AkkaHostTests : ActorHostContract, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("danas-akka-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    protected override ITestHost NewHost(int mailboxCapacity = 1000) => new Host(Path.Combine(folder, $"{Guid.NewGuid():N}.db"), mailboxCapacity);

    /// <summary>A writer that was taken over is refused by the store itself, and its host says so.</summary>
    [Theory]
    [MemberData(nameof(JournalStores.Names), MemberType = typeof(JournalStores))]
    public async Task A_writer_that_was_taken_over_cannot_store_and_its_host_ends(string store)
    {
        await using JournalStores stores = await JournalStores.NewAsync(store);
        Inbox inbox = new();
        IEventJournal journal = await stores.OpenAsync();
        await journal.AcquireAsync("c1");
        await ((IFencedTables)journal).FenceAsync();
        await using AkkaHost host = await AkkaHost.StartAsync(Timings(1000), (IFencedTables)journal, new Silent());
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress counter = host.Spawn("counter", () => new Counter("c1", sink));
        host.Tell(counter, 1);
        await inbox.WaitFor(1);
        IEventJournal other = await stores.OpenAsync();
        (await other.AcquireAsync("c1")).ShouldBe(2);
        host.Tell(counter, 1);
        (await host.Fatal.WaitAsync(TimeSpan.FromSeconds(20))).ShouldContain("another process took");
        (await other.ReadAsync("c1")).Count.ShouldBe(1);
        (await other.AppendAsync("c1", 1, [JournalContract.Event(2)])).ShouldBe(2);
    }

    private static string Timings(int capacity) => $"{File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "hocon", "akka", "reference.conf"))}\n{SerializedMessages.Hocon}\ndanas {{ mailbox.capacity = {capacity}, first-backoff = 5ms }}";

    private sealed class Silent : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
        }
    }

    private sealed class Host : ITestHost, IStateLog
    {
        private readonly string path;
        private readonly int capacity;
        private readonly SqliteJournal journal;
        private readonly AkkaHost host;
        private bool disposed;

        public Host(string path, int capacity)
        {
            this.path = path;
            this.capacity = capacity;
            journal = SqliteJournal.Open(path);
            foreach (string id in new[] { "c1", "c2", "c3", "c4" })
                journal.Acquire(id);
            journal.FenceAsync().GetAwaiter().GetResult();
            host = AkkaHost.StartAsync(Timings(capacity), journal, this).GetAwaiter().GetResult();
        }

        public long Overflowed => host.Overflowed;

        public ActorAddress Spawn(string name, Func<IActor> create) => host.Spawn(name, create);

        public ActorAddress Listen(string name, Action<object> receive) => host.Listen(name, receive);

        public void Tell(ActorAddress receiver, object message) => host.Tell(receiver, message);

        public void OpenPort(string name, Func<object, CancellationToken, Task<object?>> work) => host.OpenPort(name, work);

        public void PlayRole(string role, ActorAddress address) => host.PlayRole(role, address);

        /// <summary>The store itself refuses rows until the host says that it waits.</summary>
        public void FailNextAppend() => Execute("CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'the disk is full (test)'); END");

        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
            if (change.Event == LogEvent.JournalUnavailable)
                Execute("DROP TRIGGER IF EXISTS full");
        }

        private void Execute(string sql)
        {
            using SqliteConnection connection = new($"Data Source={path};Pooling=False");
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        public ITestHost Restart() => new Host(path, capacity);

        public async ValueTask DisposeAsync()
        {
            if (disposed)
                return;
            disposed = true;
            await host.DisposeAsync();
            journal.Dispose();
        }
    }
}
