using DaNas.Actors.Dispatch;
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
public sealed class SearchActor(SearchId id, SearchProtocol.Beginning beginning, ActorAddress listener) : IPersistentActor
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    private SearchState state = SearchState.Initial;
    private ActorAddress? stage;

    public string PersistenceId => $"search-{id}";

    public void Recover(object stored) => state = SearchEvolver.Evolve(state, (SearchEvent)stored);

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case SearchProtocol.Ask m:
                Handle(context, m.Command);
                break;
            case DispatchProtocol.UnitDone m:
                Handle(context, new SearchCommand.AcceptResult(m.Result));
                break;
            case DispatchProtocol.UnitFailed m:
                Handle(context, m.ToCommand());
                break;
            case DispatchProtocol.LateResult m:
                Handle(context, m.ToCommand());
                break;
            case RetryTick:
                Act(context);
                break;
            case Terminated m when m.Actor == stage:
                stage = null;
                Act(context);
                break;
        }
    }

    /// <summary>First start: begin. Another epoch than the stored one: take over. Restart by the supervisor: go on.</summary>
    public void Started(IActorContext context)
    {
        SearchCommand? due = state.Phase is SearchPhase.NotStarted ? beginning.Start : state.Epoch < beginning.Resume.Epoch ? beginning.Resume : null;
        if (due is null)
        {
            if (state.IsOver)
                context.Tell(listener, new SearchProtocol.Ended(state));
            Act(context);
            return;
        }

        Decision decision = SearchDecider.Decide(state, due);
        if (decision is Decision.Ignored && state.IsOver)
            context.Tell(listener, new SearchProtocol.Ended(state));
        if (decision is Decision.Rejected rejected)
            context.Tell(listener, new SearchProtocol.Refused(rejected.Reason));
        Carry(context, due, decision);
    }

    private void Handle(IActorContext context, SearchCommand command) => Carry(context, command, SearchDecider.Decide(state, command));

    private void Carry(IActorContext context, SearchCommand command, Decision decision)
    {
        switch (decision)
        {
            case Decision.Accepted accepted:
                context.Persist(accepted.Events, () => Stored(context, accepted.Events));
                break;
            case Decision.Ignored ignored:
                context.Log(Line(LogEvent.SearchCommandIgnored, command.GetType().Name, "ignored", ignored.Reason));
                break;
            case Decision.Rejected rejected:
                context.Log(Line(LogEvent.SearchCommandRejected, command.GetType().Name, "rejected", rejected.Reason) with { IsWarning = true });
                break;
        }
    }

    private void Stored(IActorContext context, ValueList<SearchEvent> events)
    {
        List<BlobRef> live = [.. state.LiveBlobs];
        long sequence = context.LastSequenceNumber - events.Count;
        foreach (SearchEvent e in events)
        {
            string from = state.Phase.GetType().Name;
            state = SearchEvolver.Evolve(state, e);
            live.AddRange(state.LiveBlobs); // What one event brings and the next one needs no more is discarded too.
            sequence++;
            context.Log(Line(LogEvent.SearchEventStored, from, state.Phase.GetType().Name, Said(e)) with { Sequence = sequence });
            if (Alert(e, state) is { } text)
                context.Log(Line(LogEvent.SearchAlert, from, state.Phase.GetType().Name, text) with { Sequence = sequence, IsWarning = true });
            context.Tell(listener, new SearchProtocol.Stored(e, state, sequence));
        }

        if (events.Any(e => e is SearchEvent.BlobLost))
        {
            Act(context); // What is done again makes the same blobs again: nothing of it may be discarded meanwhile.
            return;
        }

        ValueList<BlobRef> expired = live.Except(state.LiveBlobs).ToValueList();
        if (expired.Count > 0)
            context.Run(Ports.Blobs, new SearchProtocol.DiscardBlobs(id.Text, expired));
        Act(context);
    }

    /// <summary>Tells whoever is next; safe to repeat, and repeated, so that a restarted child or dispatcher finds out.</summary>
    private void Act(IActorContext context)
    {
        if (!state.IsOver)
            context.StartTimer("retry", Retry, new RetryTick());
        if (state.Phase is SearchPhase.Training or SearchPhase.Scoring)
        {
            int index = state.Phase is SearchPhase.Training t ? t.Stage.Index : ((SearchPhase.Scoring)state.Phase).Stage.Index;
            if (stage is not null && stage.Name != PruningStageActor.NameOf(index))
            {
                context.StopChild(stage.Name);
                return;
            }

            stage ??= OpenStage(context, index);
            context.Tell(stage, new StageProtocol.StateChanged(state));
            return;
        }

        if (stage is not null)
            context.StopChild(stage.Name);
        ActorAddress dispatcher = context.Resolve(Roles.Dispatcher);
        foreach (WorkUnit unit in OutstandingWork.Of(state))
            context.Tell(dispatcher, new DispatchProtocol.Submit(id.Text, context.Self.Path, unit, state.Epoch));
        if (state.IsOver)
            context.Log(Line(LogEvent.SearchEnded, "Running", state.Phase.GetType().Name, (state.Phase as SearchPhase.Failed)?.Reason ?? "done"));
    }

    private ActorAddress OpenStage(IActorContext context, int index)
    {
        ActorAddress child = context.Spawn(PruningStageActor.NameOf(index), () => new PruningStageActor(id, index));
        context.Watch(child);
        return child;
    }

    /// <summary>An event in the log: its name, and what its numbers say where nobody would look them up.</summary>
    private static string Said(SearchEvent e) => e is SearchEvent.DifficultyMeasured { Verdict: { } v }
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{e.GetType().Name}: {v}")
        : e.GetType().Name;

    /// <summary>What a person should hear of at once; null for the ordinary course.</summary>
    private static string? Alert(SearchEvent e, SearchState state) => e switch
    {
        SearchEvent.DifficultyMeasured { Verdict: { IsOrder: false } v } => $"{v}; the search goes on with random pictures of all classes. A longer pass (difficulty.passes, difficulty.epochs-per-point) may find an order",
        SearchEvent.ArchitecturesRanked x when state.Config!.Search.Strategy != StrategyKind.Given && !ArchitectureBudget.Of(state.Space!, state.Config.Cost).Allows(CostTable.Of(state.Space!), x.Ranked[0].Architecture) => $"no architecture of the blocks that are left keeps the budget; the nearest, {x.Ranked[0].Architecture.Text}, does not: raise cost.target-macs or cost.target-milliseconds, or lower prune.ratio",
        SearchEvent.ArchitecturesRanked x when state.Config!.Search.Strategy == StrategyKind.RandomSearch && x.Ranked.Count < state.Config.Derivation.Candidates => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"only {x.Ranked.Count} of {state.Config.Derivation.Candidates} random architectures lie within controls.tolerance of the budget: raise the tolerance or widen the space"),
        SearchEvent.ArchitecturesRanked x when Strategy.Of(state.Config!).TrainsSupernet && x.Ranked.Count(r => r.Random) is var drawn && drawn < Candidates.Drawn(state.Config!.Derivation) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"only {drawn} of {Candidates.Drawn(state.Config.Derivation)} random candidates lie between the budget and controls.tolerance under it: raise the tolerance"),
        SearchEvent.RolledBack x => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"training diverged ({x.Cause}); back to the weights before round {x.Round + 1} of stage {x.Stage}, learning rate x {x.RateScale:0.####}"),
        SearchEvent.BlocksQuarantined x => $"quarantined {string.Join(", ", x.Blocks.Select(b => $"L{b.Layer + 1:00}/{b.Block}"))}: {x.Cause}",
        SearchEvent.BlobLost x => $"{x.Cause}; back to the last round whose weights are whole, the same work is done again",
        SearchEvent.NondeterminismDetected x => $"two results of {x.Unit} differ ({x.First}, {x.Second}): these machines do not compute the same; compare 'danas doctor' on each",
        SearchEvent.ConfigurationChanged x => $"accepted: {string.Join("; ", x.Changes)}",
        SearchEvent.DataChanged x => $"accepted: {string.Join("; ", x.Changes)}",
        SearchEvent.EngineChanged x => $"accepted: {string.Join("; ", x.Changes)}",
        SearchEvent.HistoryLost x when x.Found < x.Acknowledged => $"accepted: events {x.Found + 1} to {x.Acknowledged} are gone from the journal",
        SearchEvent.HistoryLost => "accepted: what the journal says, although its head outside says otherwise",
        _ => null,
    };

    private StateChange Line(LogEvent e, string from, string to, string cause) =>
        new(e, from, to) { Search = id.Text, Cause = cause, Stage = (state.Phase as SearchPhase.Training)?.Stage.Index };

    private sealed record RetryTick;
}
