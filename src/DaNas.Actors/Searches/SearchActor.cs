using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Stages;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Strategies;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Actors.Searches;

/// <summary>
/// The one writer of a search. Five moves and no others: guard, decide, persist, evolve, tell. What it does next is a function of
/// its state, so a restart at any point goes on where it was.
/// </summary>
public sealed class SearchActor : SealedPersistentActor, IWithTimers
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    private readonly SearchId id;
    private readonly SearchProtocol.Beginning beginning;
    private readonly SearchPorts ports;
    private SearchState state = SearchState.Initial;
    private IActorRef? stage;
    private bool saidEnd;

    public SearchActor(SearchId id, SearchProtocol.Beginning beginning, SearchPorts ports, WritersJournal journal, WriterHealth health)
        : base($"search-{id}", journal, health)
    {
        this.id = id;
        this.beginning = beginning;
        this.ports = ports with { Owner = Akka.Serialization.Serialization.SerializedActorPath(Context.Parent) };
        Command<SearchProtocol.Ask>(m => Handle(m.Command));
        Command<DispatchProtocol.UnitDone>(m => Handle(new SearchCommand.AcceptResult(m.Result)));
        Command<DispatchProtocol.UnitFailed>(m => Handle(m.ToCommand()));
        Command<DispatchProtocol.LateResult>(m => Handle(m.ToCommand()));
        Command<RetryTick>(_ => Act());
        Command<Terminated>(m => m.ActorRef.Equals(stage), _ =>
        {
            stage = null;
            Act();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A stage that throws is a failure of its search, which is counted and rebuilt from the journal.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new SaidStrategy(_ => Directive.Escalate);

    protected override void Apply(object stored) => state = SearchEvolver.Evolve(state, (SearchEvent)stored);

    /// <summary>First start: begin. Another epoch than the stored one: take over. Rebuilt by the supervisor: go on.</summary>
    protected override void Recovered()
    {
        SearchCommand? due = state.Phase is SearchPhase.NotStarted ? beginning.Start : state.Epoch < beginning.Resume.Epoch
            ? beginning.Resume : null;
        if (due is null)
        {
            ports.Listener.Tell(state.IsOver ? new SearchProtocol.Ended(state) : new SearchProtocol.Found(state, LastSequenceNr));
            Act();
            return;
        }

        Decision decision = SearchDecider.Decide(state, due);
        if (decision is Decision.Ignored && state.IsOver)
            ports.Listener.Tell(new SearchProtocol.Ended(state));
        if (decision is Decision.Rejected rejected)
            ports.Listener.Tell(new SearchProtocol.Refused(rejected.Reason));
        Carry(due, decision);
    }

    private void Handle(SearchCommand command) => Carry(command, SearchDecider.Decide(state, command));

    private void Carry(SearchCommand command, Decision decision)
    {
        switch (decision)
        {
            case Decision.Accepted accepted:
                PersistSealed(accepted.Events, () => Stored(accepted.Events));
                break;
            case Decision.Ignored ignored:
                Context.Write(Line(LogEvent.SearchCommandIgnored, command.GetType().Name, "ignored", ignored.Reason));
                break;
            case Decision.Rejected rejected:
                Context.Write(Line(LogEvent.SearchCommandRejected, command.GetType().Name, "rejected", rejected.Reason)
                    with
                { IsWarning = true });
                break;
        }
    }

    private void Stored(ValueList<SearchEvent> events)
    {
        List<BlobRef> live = [.. state.LiveBlobs];
        long sequence = LastSequenceNr - events.Count;
        foreach (SearchEvent e in events)
        {
            string from = state.Phase.GetType().Name;
            state = SearchEvolver.Evolve(state, e);
            live.AddRange(state.LiveBlobs); // What one event brings and the next one needs no more is discarded too.
            sequence++;
            Context.Write(Line(LogEvent.SearchEventStored, from, state.Phase.GetType().Name, Said(e)) with { Sequence = sequence });
            if (Alert(e, state) is { } text)
                Context.Write(Line(LogEvent.SearchAlert, from, state.Phase.GetType().Name, text)
                    with
                { Sequence = sequence, IsWarning = true });
            if (e is SearchEvent.BlockScored or SearchEvent.BlocksPruned)
                stage?.Tell(new StageProtocol.Decided(e));
            ports.Listener.Tell(new SearchProtocol.Stored(e, state, sequence));
        }

        if (events.Any(e => e is SearchEvent.BlobLost))
        {
            Act(); // What is done again makes the same blobs again: nothing of it may be discarded meanwhile.
            return;
        }

        ValueList<BlobRef> expired = live.Except(state.LiveBlobs).ToValueList();
        if (expired.Count > 0)
            ports.Discard(new SearchProtocol.DiscardBlobs(id.Text, expired));
        Act();
    }

    /// <summary>Tells whoever is next; safe to repeat, and repeated, so that a restarted child or dispatcher finds out.</summary>
    private void Act()
    {
        if (!state.IsOver)
            Timers.StartSingleTimer("retry", new RetryTick(), Retry);
        else
            Timers.Cancel("retry");
        int? index = state.Phase switch { SearchPhase.Training t => t.Stage.Index, SearchPhase.Scoring s => s.Stage.Index, _ => null };
        if (index is { } due)
            stage ??= Context.Watch(Context.ActorOf(PruningStageActor.PropsOf(id, due, ports), PruningStageActor.NameOf(due)));
        stage?.Tell(new StageProtocol.StateChanged(state));
        if (index is not null)
            return;
        foreach (WorkUnit unit in OutstandingWork.Of(state))
            ports.Dispatcher.Tell(new DispatchProtocol.Submit(id.Text, ports.Owner, unit, state.Epoch));
        if (state.IsOver && !saidEnd)
            Context.Write(Line(LogEvent.SearchEnded, "Running", state.Phase.GetType().Name,
                (state.Phase as SearchPhase.Failed)?.Reason ?? "done"));
        saidEnd |= state.IsOver;
    }

    /// <summary>An event in the log: its name, and what its numbers say where nobody would look them up.</summary>
    private static string Said(SearchEvent e) => e is SearchEvent.DifficultyMeasured { Verdict: { } v }
        ? Invariant($"{e.GetType().Name}: {v}")
        : e.GetType().Name;

    /// <summary>What a person should hear of at once; null for the ordinary course.</summary>
    private static string? Alert(SearchEvent e, SearchState state) => e switch
    {
        SearchEvent.DifficultyMeasured { Verdict: { IsOrder: false } v } =>
            $"{v}; the search continues with random images of all classes. A longer pass (difficulty.passes, " +
                $"difficulty.epochs-per-point) may find an order",
        SearchEvent.ArchitecturesRanked x when state.Config!.Search.Strategy != StrategyKind.Given && !ArchitectureBudget.Of(
            state.Space!, state.Config.Cost).Allows(CostTable.Of(
            state.Space!), x.Ranked[0].Architecture) => $"no architecture built from the remaining blocks meets the budget, not even the " +
                $"closest, {x.Ranked[0].Architecture.Text}: raise cost.target-macs or cost.target-milliseconds, or lower prune.ratio",
        SearchEvent.ArchitecturesRanked x when state.Config!.Search.Strategy == StrategyKind.RandomSearch
            && x.Ranked.Count < state.Config.Derivation.Candidates =>
            Invariant($"only {x.Ranked.Count} of {state.Config.Derivation.Candidates} random architectures are within controls.tolerance " +
                $"of the budget: raise the tolerance or widen the space"),
        SearchEvent.ArchitecturesRanked x when Strategy.Of(state.Config!).TrainsSupernet && x.Ranked.Count(r => r.Random) is var drawn
            && drawn < Candidates.Drawn(state.Config!.Derivation) =>
            Invariant($"only {drawn} of {Candidates.Drawn(state.Config.Derivation)} random candidates are between the budget and " +
                $"controls.tolerance below it: raise the tolerance"),
        SearchEvent.RolledBack x =>
            Invariant($"training diverged ({x.Cause}); rolled back to the weights before round {x.Round + 1} of stage {x.Stage}, " +
                $"learning rate x {x.RateScale:0.####}"),
        SearchEvent.BlocksQuarantined x =>
            $"quarantined {string.Join(", ", x.Blocks.Select(b => $"L{b.Layer + 1:00}/{b.Block}"))}: {x.Cause}",
        SearchEvent.BlobLost x => $"{x.Cause}; rolled back to the last round with intact weights; the lost work is repeated",
        SearchEvent.NondeterminismDetected x => $"two results of {x.Unit} differ ({x.First}, {x.Second}): these machines compute " +
            $"different results; compare the output of 'danas doctor' on each",
        SearchEvent.ConfigurationChanged x => $"accepted: {string.Join("; ", x.Changes)}",
        SearchEvent.DataChanged x => $"accepted: {string.Join("; ", x.Changes)}",
        SearchEvent.EngineChanged x => $"accepted: {string.Join("; ", x.Changes)}",
        SearchEvent.HistoryLost x when x.Found < x.Acknowledged =>
            $"accepted: events {x.Found + 1} to {x.Acknowledged} are gone from the journal",
        SearchEvent.HistoryLost => "accepted: the contents of the journal, although the head stored outside it differs",
        _ => null,
    };

    private StateChange Line(LogEvent e, string from, string to, string cause) =>
        new(e, from, to) { Search = id.Text, Cause = cause, Stage = (state.Phase as SearchPhase.Training)?.Stage.Index };

    /// <summary>A search under its supervisor (<see cref="SealedPersistentActor.Supervised"/>).</summary>
    public static Props PropsOf(SearchId id, SearchProtocol.Beginning beginning, SearchPorts ports, WritersJournal journal)
    {
        WriterHealth health = new();
        return Supervised(Props.Create(() => new SearchActor(id, beginning, ports, journal, health)), "search", health);
    }

    private sealed record RetryTick;
}
