using System.Collections.Concurrent;
using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Actors.Trainers;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal;
using DaNas.Simulation.Engines;

namespace DaNas.Actors.Tests;

/// <summary>Whole searches with the real actors, the real journal and the tabular engine.</summary>
public sealed class SearchActorsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
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
        (SearchState faulty, ConcurrentQueue<(string Actor, StateChange Change)> log) = await RunAsync("faulty", 2, 0, every);
        faulty.DecisionHash.ShouldBe(clean.DecisionHash);
        log.Count(l => l.Change.Event == LogEvent.JournalUnavailable).ShouldBeGreaterThan(1);
        log.Count(l => l.Change.Event == LogEvent.JournalAvailable).ShouldBe(log.Count(l => l.Change.Event == LogEvent.JournalUnavailable));
    }

    [Fact]
    public async Task A_unit_that_is_asked_for_again_before_its_result_is_stored_is_not_run_again()
    {
        (_, ConcurrentQueue<(string Actor, StateChange Change)> log) = await RunAsync("twice", 3, 0);
        string[] done = [.. log.Where(l => l.Change.Event == LogEvent.DispatcherUnitDone).Select(l => l.Change.Unit!)];
        done.Length.ShouldBeGreaterThan(50);
        done.GroupBy(u => u).Where(g => g.Count() > 1).Select(g => g.Key).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_last_state_of_every_actor_can_be_read_off_the_log_alone()
    {
        (SearchState state, ConcurrentQueue<(string Actor, StateChange Change)> log) = await RunAsync("logged", 2, 0);
        Dictionary<string, string> last = [];
        foreach ((string actor, StateChange change) in log.Where(l => (int)l.Change.Event is < 400 or >= 500))
            last[actor] = change.To;
        last["/search-logged/search"].ShouldBeOneOf("Completed", "Stopped");
        log.Where(l => l.Change.Event == LogEvent.SearchEventStored).Select(l => l.Change.Sequence)
            .ShouldBe(Enumerable.Range(1, log.Count(l => l.Change.Event == LogEvent.SearchEventStored)).Select(n => (long?)n));
        log.Last(l => l.Change.Event == LogEvent.SearchEventStored).Change.To.ShouldBe(state.Phase.GetType().Name);
        Dictionary<string, string> units = [];
        foreach ((_, StateChange change) in log.Where(l => l.Actor == "/dispatcher" && l.Change.Unit is not null))
            units[change.Unit!] = change.To;
        units.Values.ShouldAllBe(v => v == "Done");
        last.Where(l => l.Key.StartsWith("/trainer-", StringComparison.Ordinal))
            .ShouldAllBe(l => l.Value == "Idle" || l.Value == "Stopped");
        // An evaluator a block that was alive when its stage began.
        last.Count(l => l.Key.Contains("/L0", StringComparison.Ordinal))
            .ShouldBe(state.Stages.Where(s => !s.Plan.IsWarmup).Sum(s => s.Before.Count));
    }

    private static DatasetSummary Data() => new(
        "drawn", Digest.Of("d"), Enumerable.Range(0, 12).Select(c => $"c{c}").ToValueList(), Enumerable.Repeat(160, 12).ToValueList(),
            Enumerable.Repeat(40, 12).ToValueList(), Enumerable.Repeat(100, 12).ToValueList());

    private static SearchConfig Config() => ConfigLoader.Load("drawn-12", [], null);

    private async Task<(SearchState State, ConcurrentQueue<(string Actor, StateChange Change)> Log)> RunAsync(
        string name, int trainers, int failEvery, int failAppendEvery = 0)
    {
        using SqliteJournal journal = SqliteJournal.Open(Path.Combine(folder, $"{name}.db"));
        MemoryLog log = new();
        return (await RunAsync(new NowAndThen(journal, failAppendEvery), journal, new SearchId(name), log,
            (trainers, failEvery)), log.Lines);
    }

    /// <summary>A search over a journal, begun or gone on with, to its end.</summary>
    internal static async Task<SearchState> RunAsync(IFencedTables tables, IEventJournal journal, SearchId id, IStateLog log,
        (int Trainers, int FailEvery) how)
    {
        SearchConfig config = Config();
        DatasetSummary data = Data();
        TaskCompletionSource<SearchState> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await tables.FenceAsync();
        await using AkkaHost host = await AkkaHost.StartAsync(
            $"{File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "hocon", "akka", "reference.conf"))}\n{SerializedMessages.Hocon}",
            tables, log);
        LandscapeEngine engine = new(new EngineContext(config, data));
        long epoch = await journal.AcquireAsync($"search-{id}");
        SearchProtocol.Beginning beginning = new(new SearchCommand.Start(new(id, config.Text, config.Hash, data, "profile", "engine")),
            new SearchCommand.Resume(epoch, "profile", 0));
        IActorRef dispatcher = host.Spawn(DispatcherActor.Name, DispatcherActor.PropsOf(new DispatcherSettings(3, 15)));
        FailingRunner runner = new(engine, how.FailEvery);
        for (int i = 0; i < how.Trainers; i++)
            host.Spawn(TrainerActor.NameOf(i), TrainerActor.PropsOf(i, runner, () => dispatcher, new TrainerMemory()));
        IActorRef listener = host.Listen("listener", m =>
        {
            if (m is SearchProtocol.Stored { State.IsOver: true } s)
                done.TrySetResult(s.State);
            else if (m is SearchProtocol.Refused refused)
                done.TrySetException(new InvalidOperationException(refused.Reason));
        });
        host.Spawn($"search-{id}", SearchActor.PropsOf(id, beginning, new SearchPorts(listener, dispatcher, _ => { }), host.Journal));
        return await done.Task.WaitAsync(Patience);
    }

    private sealed class FailingRunner(LandscapeEngine engine, int every) : IAttemptRunner
    {
        private int calls;

        public double SilentSeconds => 0;

        public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt) => every > 0 && Interlocked.Increment(ref calls) % every == 0
            ? Task.FromResult<UnitOutcome>(new UnitOutcome.Failed(FailureKind.ProcessLost, "killed (test)", 0))
            : Task.Run(() => engine.RunAsync(attempt.Unit, CancellationToken.None));
    }

    /// <summary>A journal that fails every so many appends, before anything is stored.</summary>
    private sealed class NowAndThen(IFencedTables inner, int every) : IFencedTables
    {
        private int appends;

        public string Kind => inner.Kind;

        public string ConnectionString => inner.ConnectionString;

        public Task FenceAsync() => inner.FenceAsync();

        public long EpochOf(string persistenceId) => every > 0 && ++appends % every == 0
            ? throw new JournalException(JournalFault.Unavailable, "the disk is full (test)")
            : inner.EpochOf(persistenceId);

        public bool IsOvertakenBy(string persistenceId, long epoch) => inner.IsOvertakenBy(persistenceId, epoch);

        public JournalLedger NewLedger() => inner.NewLedger();

        public JournalException Translate(Exception failure) => inner.Translate(failure);
    }

    internal sealed class MemoryLog : IStateLog
    {
        public ConcurrentQueue<(string Actor, StateChange Change)> Lines { get; } = new();

        public void Write(string actor, DateTimeOffset at, StateChange change) => Lines.Enqueue((actor, change));
    }
}
