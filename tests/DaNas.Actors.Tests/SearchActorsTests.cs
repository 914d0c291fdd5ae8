using System.Collections.Concurrent;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Embedded;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Actors.Trainers;
using DaNas.Cli.Configuration;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Ports;
using DaNas.Tabular;

namespace DaNas.Actors.Tests;

/// <summary>Whole searches with the real actors, the real journal and the tabular engine.</summary>
public sealed class SearchActorsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly string folder = Directory.CreateTempSubdirectory("danas-search-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_search_ends_with_the_same_decisions_on_any_number_of_trainers(int trainers)
    {
        (SearchState one, _) = await RunAsync("one", 1, 0);
        (SearchState many, _) = await RunAsync("many", trainers, 0);
        many.Phase.ShouldBeOfType<SearchPhase.Completed>();
        many.DecisionHash.ShouldBe(one.DecisionHash);
    }

    [Fact]
    public async Task Units_that_fail_now_and_then_are_run_again_and_change_no_decision()
    {
        (SearchState clean, _) = await RunAsync("clean", 2, 0);
        (SearchState faulty, _) = await RunAsync("faulty", 2, 5);
        faulty.DecisionHash.ShouldBe(clean.DecisionHash);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(7)]
    public async Task Appends_that_fail_now_and_then_rebuild_the_search_and_change_no_decision(int every)
    {
        (SearchState clean, _) = await RunAsync("clean", 2, 0);
        (SearchState faulty, ConcurrentQueue<(ActorAddress Actor, StateChange Change)> log) = await RunAsync("faulty", 2, 0, every);
        faulty.DecisionHash.ShouldBe(clean.DecisionHash);
        log.Count(l => l.Change.Event == LogEvent.JournalUnavailable).ShouldBeGreaterThan(1);
        log.Count(l => l.Change.Event == LogEvent.JournalAvailable).ShouldBe(log.Count(l => l.Change.Event == LogEvent.JournalUnavailable));
    }

    [Fact]
    public async Task A_unit_that_is_asked_for_again_before_its_result_is_stored_is_not_run_again()
    {
        (_, ConcurrentQueue<(ActorAddress Actor, StateChange Change)> log) = await RunAsync("twice", 3, 0);
        string[] done = [.. log.Where(l => l.Change.Event == LogEvent.DispatcherUnitDone).Select(l => l.Change.Unit!)];
        done.Length.ShouldBeGreaterThan(50);
        done.GroupBy(u => u).Where(g => g.Count() > 1).Select(g => g.Key).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_last_state_of_every_actor_can_be_read_off_the_log_alone()
    {
        (SearchState state, ConcurrentQueue<(ActorAddress Actor, StateChange Change)> log) = await RunAsync("logged", 2, 0);
        Dictionary<string, string> last = [];
        foreach ((ActorAddress actor, StateChange change) in log.Where(l => (int)l.Change.Event is < 400 or >= 500))
            last[actor.Path] = change.To;
        last["/search-logged"].ShouldBeOneOf("Completed", "Stopped");
        log.Where(l => l.Change.Event == LogEvent.SearchEventStored).Select(l => l.Change.Sequence).ShouldBe(Enumerable.Range(1, log.Count(l => l.Change.Event == LogEvent.SearchEventStored)).Select(n => (long?)n));
        log.Last(l => l.Change.Event == LogEvent.SearchEventStored).Change.To.ShouldBe(state.Phase.GetType().Name);
        Dictionary<string, string> units = [];
        foreach ((_, StateChange change) in log.Where(l => l.Actor.Path == "/dispatcher" && l.Change.Unit is not null))
            units[change.Unit!] = change.To;
        units.Values.ShouldAllBe(v => v == "Done");
        last.Where(l => l.Key.StartsWith("/trainer-", StringComparison.Ordinal)).ShouldAllBe(l => l.Value == "Idle" || l.Value == "Stopped");
        last.Count(l => l.Key.Contains("/L0", StringComparison.Ordinal)).ShouldBe(36 + 24 + 18 + 12);
    }

    private static SearchConfig Config() => ConfigLoader.Load("quickstart", [], null);

    private async Task<(SearchState State, ConcurrentQueue<(ActorAddress Actor, StateChange Change)> Log)> RunAsync(string name, int trainers, int failEvery, int failAppendEvery = 0)
    {
        SearchConfig config = Config();
        DatasetSummary data = new(
            "drawn", Digest.Of("d"), Enumerable.Range(0, 12).Select(c => $"c{c}").ToValueList(), Enumerable.Repeat(160, 12).ToValueList(), Enumerable.Repeat(40, 12).ToValueList(), Enumerable.Repeat(100, 12).ToValueList());
        using SqliteJournal journal = SqliteJournal.Open(Path.Combine(folder, $"{name}.db"), TimeProvider.System);
        MemoryLog log = new();
        TaskCompletionSource<SearchState> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using EmbeddedHost host = new(new HostOptions { FirstBackoff = TimeSpan.FromMilliseconds(5), LongestBackoff = TimeSpan.FromMilliseconds(20), MaximumRestarts = 100 }, new NowAndThen(journal, failAppendEvery), log, TimeProvider.System);
        LandscapeEngine engine = new(new EngineContext(config, data));
        int calls = 0;
        host.OpenPort(Ports.Blobs, (_, _) => Task.FromResult<object?>(null));
        for (int i = 0; i < trainers; i++)
        {
            host.OpenPort(Ports.Engine(i), async (unit, stop) => failEvery > 0 && Interlocked.Increment(ref calls) % failEvery == 0
                ? new UnitOutcome.Failed(FailureKind.ProcessLost, "killed (test)", 0)
                : await engine.RunAsync(((DispatchProtocol.RunAttempt)unit).Unit, stop));
        }

        SearchId id = new(name);
        long epoch = journal.Acquire($"search-{id}");
        SearchProtocol.Beginning beginning = new(new SearchCommand.Start(new(id, config.Text, config.Hash, data, "profile", "engine")), new SearchCommand.Resume(epoch, "profile", 0));
        host.PlayRole(Roles.Dispatcher, host.Spawn(Roles.Dispatcher, () => new DispatcherActor(new DispatcherSettings(3, 15))));
        for (int i = 0; i < trainers; i++)
        {
            int number = i;
            host.Spawn(TrainerActor.NameOf(number), () => new TrainerActor(number));
        }

        ActorAddress listener = host.Listen("listener", m =>
        {
            if (m is SearchProtocol.Stored { State.IsOver: true } s)
                done.TrySetResult(s.State);
        });
        host.Spawn($"search-{id}", () => new SearchActor(id, beginning, listener));
        return (await done.Task.WaitAsync(Patience), log.Lines);
    }

    /// <summary>A journal that fails every so many appends, before anything is stored.</summary>
    private sealed class NowAndThen(IEventJournal inner, int every) : IEventJournal
    {
        private int appends;

        public Task<long> AcquireAsync(string persistenceId) => inner.AcquireAsync(persistenceId);

        public Task<long> AppendAsync(string persistenceId, long lastSequence, IReadOnlyList<object> events) => every > 0 && ++appends % every == 0
            ? throw new JournalException(JournalFault.Unavailable, "the disk is full (test)")
            : inner.AppendAsync(persistenceId, lastSequence, events);

        public Task<IReadOnlyList<StoredEvent>> ReadAsync(string persistenceId) => inner.ReadAsync(persistenceId);

        public Task<IReadOnlyList<string>> PersistenceIdsAsync() => inner.PersistenceIdsAsync();

        public void AcceptCut(string persistenceId) => inner.AcceptCut(persistenceId);

        public void Dispose()
        {
        }
    }

    private sealed class MemoryLog : IStateLog
    {
        public ConcurrentQueue<(ActorAddress Actor, StateChange Change)> Lines { get; } = new();

        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change) => Lines.Enqueue((actor, change));
    }
}
