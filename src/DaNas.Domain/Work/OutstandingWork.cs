using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Strategies;
using DaNas.Domain.Values;

namespace DaNas.Domain.Work;

/// <summary>What is left to do, as a function of state alone: after any fault the same units come out again.</summary>
public static class OutstandingWork
{
    private const int RequestsPerUnit = 8;

    /// <summary>
    /// All units that can run now. Merges are not among them: they need results that are not stored (see <see cref="Merge"/>).
    /// </summary>
    public static ValueList<WorkUnit> Of(SearchState state) => state.Phase switch
    {
        SearchPhase.MeasuringDifficulty p => p.Proxies.Where(x => x.Accuracy.Count < Curricula.DifficultyRule.PointsDue(state, p))
            .Select(x => Difficulty(state, x)).ToValueList(),
        SearchPhase.Training p => Enumerable.Range(0, state.Config!.Rounds.Shards).Select(s => Shard(state, p, s)).ToValueList(),
        SearchPhase.Scoring p => EvidenceUnits(state, p),
        SearchPhase.Deriving p => p.Ranked.Select((_, rank) => rank).Where(rank => p.Scores.All(s => s.Rank != rank))
            .Select(rank => Derive(state, p, rank)).ToValueList(),
        SearchPhase.Probing p => p.Probes.Select((x, i) => (x, i)).Where(x => x.x.Passed is null)
            .Select(x => Probe(state, p, x.i)).ToValueList(),
        SearchPhase.Finals p => p.Runs.Where(r => r.Result is null).Select(r => Final(state, p, r)).ToValueList(),
        SearchPhase.Retraining p => p.Runs.Where(r => r.Result is null).Select(r => Retrain(state, r)).ToValueList(),
        _ => [],
    };

    /// <summary>Whether anybody waits for a unit: one that can run now, or the merge of the running round.</summary>
    public static bool IsOutstanding(SearchState state, string unit) =>
        Of(state).Any(u => u.Id == unit) || (state.Phase is SearchPhase.Training p && unit == MergeId(state, p));

    /// <summary>The merge of a round whose shards are all there, in shard order.</summary>
    public static WorkUnit Merge(SearchState state, SearchPhase.Training p,
        ValueList<UnitResult.ShardTrained> shards) => new WorkUnit.MergeRound(
        MergeId(state, p), 0, state.Supernet, shards.Select(s => s.Output).ToValueList(), state.Alive!);

    public static string MergeId(SearchState state, SearchPhase.Training p) =>
        Invariant($"s{p.Stage.Index}/r{p.Round}{Revision(state)}/merge");

    private static WorkUnit Difficulty(SearchState state, ProxyProgress p)
    {
        string id = Invariant($"difficulty/{p.Seed}/{p.Accuracy.Count}");
        return new WorkUnit.MeasureDifficulty(id, Seed(state, "difficulty", p.Seed), p.Seed, p.Accuracy.Count, p.Newest);
    }

    private static WorkUnit Shard(SearchState state, SearchPhase.Training p, int shard)
    {
        RoundSchedule schedule = new(p.Stage.FirstRound + p.Round, state.Plan!.TotalRounds, p.Round,
            Temperature(state, p), state.RateScale);
        string id = Invariant($"s{p.Stage.Index}/r{p.Round}{Revision(state)}/train/{shard}");
        return new WorkUnit.TrainShard(id, Seed(state, id), p.Stage, schedule, shard, state.Supernet, state.Alive!);
    }

    /// <summary>
    /// tau = max(minimum, tau0 x decay^epochs), epochs counted over the stages after the warm-up; constant within a round.
    /// </summary>
    private static double Temperature(SearchState state, SearchPhase.Training p)
    {
        SamplerOptions o = state.Config!.Sampler;
        double before = state.Stages.Count(s => !s.Plan.IsWarmup && s.Plan.Index < p.Stage.Index) * state.Config.Stage.Epochs;
        double epochs = p.Stage.IsWarmup ? 0 : before + (state.Config.Stage.Epochs * p.Round / p.Stage.Rounds);
        return Math.Max(o.MinimumTemperature, o.Temperature * Math.Pow(o.Decay, epochs));
    }

    private static ValueList<WorkUnit> EvidenceUnits(SearchState state, SearchPhase.Scoring p)
    {
        if (Strategy.Of(state.Config!).Evidence == EvidenceKind.Effect && p.Tests.Count == 0)
        {
            string test = Invariant($"s{p.Stage.Index}/e{p.Stage.Look}{Revision(state)}/effects");
            return [new WorkUnit.TestBlocks(test, Seed(state, test), state.Supernet, state.Alive!, p.Stage.PrunesAtEnd
                ? state.Plan!.Permutations(state.Config!.Prune, p.Stage.Look) : 0)];
        }

        if (Strategy.Of(state.Config!).Evidence != EvidenceKind.Validation)
            return [];
        ValueList<BlockRequest> requests = StageEvidence.Requests(state, p);
        return requests.Chunk(RequestsPerUnit).Select((chunk, i) =>
        {
            string id = Invariant($"s{p.Stage.Index}/e{p.Rounds.Count}{Revision(state)}/blocks/{i}");
            return (WorkUnit)new WorkUnit.EvaluateBlocks(id, Seed(state, id), p.Stage.Classes, i, state.Supernet,
                state.Alive!, chunk.ToValueList());
        }).ToValueList();
    }

    private static WorkUnit Derive(SearchState state, SearchPhase.Deriving p, int rank) =>
        new WorkUnit.EvaluateArchitecture(Invariant($"derive/{rank}"), Seed(state, "derive"), rank,
            p.Ranked[rank].Architecture, state.Supernet);

    private static WorkUnit Retrain(SearchState state, RunProgress run)
    {
        long seed = run.Repeat == 0 ? Seed(state, "retrain") : Seed(state, "retrain", run.Repeat);
        return Segment(state, run, "retrain", seed, RetrainPlan.Steps(state.Config!, state.Started!.Data, run.Name))
            with
        { OnValidation = state.Config!.Retrain.MeasureOn == MeasuredSplit.Validation };
    }

    private static WorkUnit Final(SearchState state, SearchPhase.Finals p, RunProgress run) =>
        Segment(state, run, "finals", Seed(state, "finals", p.Rung), Finals.Steps(state.Config!, state.Started!.Data, p.Rung))
            with
        { OnValidation = true };

    private static WorkUnit.RetrainSegment Segment(SearchState state, RunProgress run, string phase, long seed, int steps)
    {
        int segments = (steps + state.Config!.Retrain.SegmentSteps - 1) / state.Config.Retrain.SegmentSteps;
        int segment = Math.Min(run.SegmentsDone, segments - 1); // The last one again where its model is not stored.
        BlobRef? input = segment > 0 ? run.Chain.Links[segment - 1].Blob : null;
        return new WorkUnit.RetrainSegment(Invariant($"{phase}/{run.Name}/{segment}"), seed, run.Name, run.Architecture,
            segment, segments, steps, input);
    }

    private static WorkUnit Probe(SearchState state, SearchPhase.Probing p, int index)
    {
        StagePlan stage = SearchPhase.StageOf(p.Before)!;
        string id = Invariant($"s{stage.Index}/p{state.Revision}/probe/{index}");
        return new WorkUnit.ProbePath(id, Seed(state, id), index, p.Probes[index].Path, stage.Classes, state.Supernet, state.Alive!);
    }

    /// <summary>Roll-backs and quarantines make the same round another one: other inputs or other seeds, so another name.</summary>
    private static string Revision(SearchState state) => state.Revision == 0 ? string.Empty : Invariant($"+{state.Revision}");

    private static long Seed(SearchState state, params ReadOnlySpan<object> path) => SeededRandom.Derive(state.Config!.Search.Seed, path);
}
