using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Evaluation;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Actors.Stages;

/// <summary>
/// One pruning stage: turns its outstanding work into units and gathers a round's shards and the blocks' evidence; its evaluators hear what
/// the search decides on them. Rebuilt from the search's state; what it holds itself (shards of the running round) may be lost and is
/// trained again.
/// </summary>
public sealed class PruningStageActor : LoggedActor
{
    private readonly SearchId id;
    private readonly int index;
    private readonly SearchPorts ports;
    private readonly Dictionary<string, UnitResult> results = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Layer, string Block), IActorRef> evaluators = [];
    private SearchState state = SearchState.Initial;
    private string doing = "Opened";

    public static string NameOf(int index) => $"stage-{index}";

    public PruningStageActor(SearchId id, int index, SearchPorts ports)
    {
        this.id = id;
        this.index = index;
        this.ports = ports;
        Receive<StageProtocol.StateChanged>(m =>
        {
            state = m.State;
            Act();
        });
        Receive<DispatchProtocol.UnitDone>(m => Wanted(m.Result.Unit), m =>
        {
            results[m.Result.Unit] = m.Result;
            Act();
        });
        Receive<DispatchProtocol.UnitFailed>(m =>
        {
            Context.Parent.Tell(new SearchProtocol.Ask(m.ToCommand()));
            Drop(m.Failure.Blob);
            if (!m.Exhausted)
                Act(); // What follows a unit that was given up is the search's decision.
        });
        Receive<StageProtocol.Decided>(m => Tell(m.Event));
    }

    protected override SupervisorStrategy SupervisorStrategy() => new SaidStrategy(_ => Directive.Escalate);

    private bool Wanted(string unit) => unit.StartsWith($"s{index}/", StringComparison.Ordinal);

    /// <summary>A shard whose blob is gone is trained again.</summary>
    private void Drop(BlobRef? blob)
    {
        foreach (string unit in results.Where(r => blob is not null && UnitResult.OutputOf(r.Value) == blob).Select(r => r.Key).ToList())
            results.Remove(unit);
    }

    private void Act()
    {
        switch (state.Phase)
        {
            case SearchPhase.Training p when p.Stage.Index == index:
                Train(p);
                break;
            case SearchPhase.Scoring p when p.Stage.Index == index:
                Gather(p);
                break;
            default:
                Close();
                break;
        }
    }

    /// <summary>Another stage's turn: ends once the evaluators have written what they were told.</summary>
    private void Close()
    {
        Forget([]);
        Become(() => Receive<Terminated>(m =>
        {
            if (evaluators.Remove(evaluators.First(e => e.Value.Equals(m.ActorRef)).Key) && evaluators.Count == 0)
                Context.Stop(Self);
        }));
        foreach (IActorRef evaluator in evaluators.Values)
            Context.Watch(evaluator).Tell(new EvaluatorProtocol.Close());
        if (evaluators.Count == 0)
            Context.Stop(Self);
    }

    private void Train(SearchPhase.Training p)
    {
        Does($"Training round {p.Round + 1} of {p.Stage.Rounds}");
        ValueList<WorkUnit> units = OutstandingWork.Of(state);
        Forget(units.Select(u => u.Id).Append(OutstandingWork.MergeId(state, p)));
        UnitResult.ShardTrained[] shards = [.. units.Select(u => results.GetValueOrDefault(u.Id)).OfType<UnitResult.ShardTrained>()];
        if (shards.Length < units.Count)
        {
            Submit(units.Where(u => !results.ContainsKey(u.Id)));
            return;
        }

        UnitResult.RoundMerged? merged = results.GetValueOrDefault(OutstandingWork.MergeId(state, p)) as UnitResult.RoundMerged;
        if (shards.Length > 1 && merged is null)
        {
            Submit([OutstandingWork.Merge(state, p, shards.ToValueList())]);
            return;
        }

        Context.Parent.Tell(new SearchProtocol.Ask(new SearchCommand.CompleteRound(index, p.Round, shards.ToValueList(), merged)));
    }

    private void Gather(SearchPhase.Scoring p)
    {
        DiscardShards();
        ValueList<WorkUnit> units = OutstandingWork.Of(state);
        if (units is [WorkUnit.TestBlocks test])
        {
            Does($"Testing blocks, look {p.Stage.Look + 1}");
            if (results.GetValueOrDefault(test.Id) is { } tested)
                Context.Parent.Tell(new SearchProtocol.Ask(new SearchCommand.AcceptResult(tested)));
            else
                Submit(units);
            return;
        }

        Does($"Gathering evidence round {p.Rounds.Count + 1}");
        ValueList<BlockRequest> requests = StageEvidence.Requests(state, p);
        foreach (BlockRequest request in requests)
            Evaluator(request.Layer, request.Block).Tell(new EvaluatorProtocol.Measuring(p.Rounds.Count + 1));
        UnitResult.BlocksEvaluated[] answers = [.. units.Select(u => results.GetValueOrDefault(u.Id)).OfType<UnitResult.BlocksEvaluated>()];
        if (answers.Length < units.Count)
            Submit(units.Where(u => !results.ContainsKey(u.Id)));
        else
            Context.Parent
                .Tell(new SearchProtocol.Ask(new SearchCommand.RecordEvidence(index, p.Rounds.Count, requests, answers.ToValueList())));
    }

    private void Tell(SearchEvent decided)
    {
        switch (decided)
        {
            case SearchEvent.BlockScored e:
                Evaluator(e.Score.Layer, e.Score.Block).Tell(new EvaluatorProtocol.Scored(e.Score));
                break;
            case SearchEvent.BlocksPruned e:
                foreach (((int layer, string block), IActorRef evaluator) in evaluators)
                    evaluator.Tell(new EvaluatorProtocol.Judged(e.Removed.FirstOrDefault(r => r.Layer == layer && r.Block == block)));
                break;
        }
    }

    private IActorRef Evaluator(int layer, string block) => evaluators.TryGetValue((layer, block), out IActorRef? known)
        ? known
        : evaluators[(layer, block)] = Context.ActorOf(BlockEvaluatorActor.PropsOf(id, index, layer, block),
            BlockEvaluatorActor.NameOf(layer, block));

    private void Submit(IEnumerable<WorkUnit> units)
    {
        foreach (WorkUnit unit in units)
            ports.Dispatcher.Tell(new DispatchProtocol.Submit(id.Text, ports.Owner, unit, state.Epoch));
    }

    /// <summary>Drops results that are part of a stored round; the shards' blobs were inputs of its merge and are needed no more.</summary>
    private void Forget(IEnumerable<string> wanted)
    {
        HashSet<string> keep = wanted.ToHashSet(StringComparer.Ordinal);
        List<BlobRef> shards = [];
        foreach (string old in results.Keys.Where(k => !keep.Contains(k)).ToList())
        {
            if (results.Remove(old, out UnitResult? result) && result is UnitResult.ShardTrained shard && state.Config!.Rounds.Shards > 1)
                shards.Add(shard.Output);
        }

        ValueList<BlobRef> expired = shards.Except(state.LiveBlobs).ToValueList();
        if (expired.Count > 0)
            ports.Discard(new SearchProtocol.DiscardBlobs(id.Text, expired));
    }

    private void DiscardShards() => Forget(results.Keys.Where(k => k.Contains("/e", StringComparison.Ordinal)).ToList());

    private void Does(string next)
    {
        if (next == doing)
            return;
        Context.Write(new StateChange(LogEvent.StageChanged, doing, next) { Search = id.Text, Stage = index });
        doing = next;
    }

    public static Props PropsOf(SearchId id, int index, SearchPorts ports) => Props.Create(() => new PruningStageActor(id, index, ports));
}
