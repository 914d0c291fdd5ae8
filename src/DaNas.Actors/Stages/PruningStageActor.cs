using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Evaluation;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Actors.Stages;

/// <summary>Between a search and one of its stages.</summary>
public static class StageProtocol
{
    public sealed record StateChanged(SearchState State) : INoSerializationVerificationNeeded;
}

/// <summary>
/// One pruning stage: turns its outstanding work into units, gathers a round's shards and the blocks' evidence, and proposes the
/// pruning. Rebuilt from the search's state; what it holds itself (shards of the running round) may be lost and is trained again.
/// </summary>
public sealed class PruningStageActor : ReceiveActor
{
    private readonly SearchId id;
    private readonly int index;
    private readonly SearchPorts ports;
    private readonly Dictionary<string, UnitResult> results = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Layer, string Block), BlockScore> scores = [];
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
        Receive<EvaluatorProtocol.Scored>(m =>
        {
            scores[(m.Score.Layer, m.Score.Block)] = m.Score;
            if (scores.Count == state.Alive!.Count)
                ProposeScores();
        });
    }

    protected override void PostStop() => Context.WriteStopped();

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
                Score(p);
                break;
        }
    }

    private void Train(SearchPhase.Training p)
    {
        Does($"Training round {p.Round + 1} of {p.Stage.Rounds}");
        scores.Clear();
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

    private void Score(SearchPhase.Scoring p)
    {
        DiscardShards();
        if (p.Scores.Covers(state.Alive!))
        {
            if (p.Stage.PrunesAtEnd && !p.Pruned)
            {
                Does("Pruning");
                ValueList<Removal> removed = PrunePolicy.Decide(state, p);
                Context.Parent.Tell(new SearchProtocol.Ask(new SearchCommand.ProposePruning(index, removed)));
            }

            return;
        }

        ValueList<WorkUnit> units = OutstandingWork.Of(state);
        if (units.Count == 0)
        {
            AskEvaluators(p);
            return;
        }

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
        UnitResult.BlocksEvaluated[] answers = [.. units.Select(u => results.GetValueOrDefault(u.Id)).OfType<UnitResult.BlocksEvaluated>()];
        if (answers.Length < units.Count)
            Submit(units.Where(u => !results.ContainsKey(u.Id)));
        else
            Context.Parent.Tell(new SearchProtocol.Ask(new SearchCommand.RecordEvidence(index, p.Rounds.Count, StageEvidence.Requests(state, p), answers.ToValueList())));
    }

    /// <summary>One evaluator a block; each owns its evidence and answers with a score.</summary>
    private void AskEvaluators(SearchPhase.Scoring p)
    {
        Does("Scoring blocks");
        for (int layer = 0; layer < state.Alive!.Layers.Count; layer++)
        {
            foreach (string block in state.Alive.Layers[layer])
            {
                int l = layer;
                if (scores.ContainsKey((l, block)))
                    continue;
                string name = BlockEvaluatorActor.NameOf(l, block);
                IActorRef child = Context.Child(name) is var known && !known.IsNobody() ? known : Context.ActorOf(Props.Create(() => new BlockEvaluatorActor(id, index, l, block)), name);
                child.Tell(new EvaluatorProtocol.Weigh(StageEvidence.Samples(state, p, l, block), state.Config!.Evidence.Confidence) { Test = StageEvidence.Test(state, p, l, block) });
            }
        }

        if (scores.Count == state.Alive.Count)
            ProposeScores();
    }

    private void ProposeScores()
    {
        ScoreTable table = ScoreTable.Empty.Merge(scores.Values, state.Alive!);
        Context.Parent.Tell(new SearchProtocol.Ask(new SearchCommand.ScoreBlocks(index, table.Scores)));
    }

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
}
