using DaNas.Actors.Embedded;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Tests;

/// <summary>The embedded host over a real SQLite journal.</summary>
public sealed class EmbeddedHostTests : ActorHostContract, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("danas-host-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    protected override ITestHost NewHost(int mailboxCapacity = 1000) => new Host(Path.Combine(folder, $"{Guid.NewGuid():N}.db"), mailboxCapacity);

    private sealed class Host : ITestHost
    {
        private readonly string path;
        private readonly int capacity;
        private readonly SqliteJournal journal;
        private readonly FaultyJournal faulty;
        private readonly EmbeddedHost host;
        private bool disposed;

        public Host(string path, int capacity)
        {
            this.path = path;
            this.capacity = capacity;
            journal = SqliteJournal.Open(path, TimeProvider.System);
            foreach (string id in new[] { "c1", "c2", "c3", "c4" })
                journal.Acquire(id);
            faulty = new FaultyJournal(journal);
            host = new EmbeddedHost(new HostOptions { MailboxCapacity = capacity, FirstBackoff = TimeSpan.FromMilliseconds(5) }, faulty, new NoLog(), TimeProvider.System);
        }

        public long Overflowed => host.Overflowed;

        public ActorAddress Spawn(string name, Func<IActor> create) => host.Spawn(name, create);

        public ActorAddress Listen(string name, Action<object> receive) => host.Listen(name, receive);

        public void Tell(ActorAddress receiver, object message) => host.Tell(receiver, message);

        public void OpenPort(string name, Func<object, CancellationToken, Task<object?>> work) => host.OpenPort(name, work);

        public void PlayRole(string role, ActorAddress address) => host.PlayRole(role, address);

        public void FailNextAppend() => faulty.FailNext = true;

        public ITestHost Restart() => new Host(path, capacity);

        public async ValueTask DisposeAsync()
        {
            if (disposed)
                return;
            disposed = true;
            await host.DisposeAsync();
            faulty.Dispose();
            journal.Dispose();
        }
    }

    private sealed class NoLog : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
        }
    }

    private sealed class FaultyJournal(IEventJournal inner) : IEventJournal
    {
        public bool FailNext { get; set; }

        public Task<long> AcquireAsync(string persistenceId) => inner.AcquireAsync(persistenceId);

        public Task<long> AppendAsync(string persistenceId, long lastSequence, IReadOnlyList<object> events)
        {
            if (!FailNext)
                return inner.AppendAsync(persistenceId, lastSequence, events);
            FailNext = false;
            throw new JournalException(JournalFault.Unavailable, "the disk is full (test)");
        }

        public Task<IReadOnlyList<StoredEvent>> ReadAsync(string persistenceId) => inner.ReadAsync(persistenceId);

        public Task<IReadOnlyList<string>> PersistenceIdsAsync() => inner.PersistenceIdsAsync();

        public void AcceptCut(string persistenceId) => inner.AcceptCut(persistenceId);

        public void Dispose()
        {
        }
    }
}
