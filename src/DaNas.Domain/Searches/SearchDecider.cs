using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Strategies;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>State and command to events: every decision of a search, readable in one place. Pure.</summary>
public static class SearchDecider
{
    public static Decision Decide(SearchState state, SearchCommand command) => (state.Phase, command) switch
    {
        (SearchPhase.NotStarted, SearchCommand.Start c) => Follow(state, c.First),
        (_, SearchCommand.Start) => new Decision.Ignored("the search has started already"),
        (SearchPhase.NotStarted, _) => new Decision.Rejected("the search has not started"),
        (_, SearchCommand.Resume c) => FaultDecider.Resume(state, c),
        (_, SearchCommand.RecordFailedAttempt c) when !state.IsOver => FaultDecider.Failure(state, c),
        (_, SearchCommand.RecordLateResult c) => FaultDecider.Late(state, c),
        (SearchPhase.Completed or SearchPhase.Failed, _) => new Decision.Ignored("the search is over"),
        (_, SearchCommand.Proceed) => Accept(Consequences(state)),
        (_, SearchCommand.AcceptResult c) => Result(state, c.Result),
        (SearchPhase.Training p, SearchCommand.CompleteRound c) => Round(state, p, c),
        (SearchPhase.Scoring p, SearchCommand.RecordEvidence c) => Evidence(state, p, c),
        _ => new Decision.Ignored($"{command.GetType().Name} is not due in {state.Phase.GetType().Name}"),
    };

    /// <summary>An event and whatever follows from it without any further work.</summary>
    internal static Decision.Accepted Follow(SearchState state, params ReadOnlySpan<SearchEvent> events)
    {
        List<SearchEvent> all = [.. events];
        foreach (SearchEvent e in events)
            state = SearchEvolver.Evolve(state, e);
        all.AddRange(Consequences(state));
        return new(all.ToValueList());
    }

    private static Decision Accept(List<SearchEvent> events) =>
        events.Count > 0 ? new Decision.Accepted(events.ToValueList()) : new Decision.Ignored("nothing but work is due");

    private static List<SearchEvent> Consequences(SearchState state)
    {
        List<SearchEvent> all = [];
        while (Next(state) is { } e)
        {
            all.Add(e);
            state = SearchEvolver.Evolve(state, e);
        }

        return all;
    }

    /// <summary>The one event that is due now, if it needs no work: the state machine of a search on one screen.</summary>
    internal static SearchEvent? Next(SearchState state)
    {
        SearchConfig config = state.Config!;
        IStrategy strategy = Strategy.Of(config);
        switch (state.Phase)
        {
            case SearchPhase.MeasuringDifficulty p when DifficultyRule.PointsDue(state, p) is var due
                && p.Proxies.All(x => x.Accuracy.Count >= due):
                (ClassDifficulty measured, DifficultyVerdict? verdict) = DifficultyRule.Judge(state, p, due);
                return new SearchEvent.DifficultyMeasured(measured.Values, measured.EasyToHard, state.Cost) { Verdict = verdict };
            case SearchPhase.BetweenStages when state.Plan is null:
                int classes = state.Started!.Data.Classes.Count;
                return new SearchEvent.DifficultyMeasured([], Enumerable.Range(0, classes).ToValueList(), UnitCost.Zero);
            case SearchPhase.BetweenStages when strategy.TrainsSupernet && NextStage(state) is { } stage:
                return new SearchEvent.StageOpened(stage, state.Alive!, state.Plan.TotalRounds);
            case SearchPhase.BetweenStages:
                return new SearchEvent.ArchitecturesRanked(state.Budget, strategy.Rank(state, state.LastScores));
            case SearchPhase.Training p when p.Stage.IsWarmup && p.Round == p.Stage.Rounds:
                return new SearchEvent.StageClosed(p.Stage.Index, state.Supernet);
            case SearchPhase.Scoring p when SurePruning.TrainsOn(state, p) is { } longer:
                return longer;
            case SearchPhase.Scoring p when StageEvidence.NextScore(state, p) is { } score:
                return new SearchEvent.BlockScored(p.Stage.Index, score);
            case SearchPhase.Scoring { Stage.PrunesAtEnd: true, Pruned: false } p when p.Scores.Covers(state.Alive!):
                ValueList<Removal> removed = PrunePolicy.Decide(state, p);
                return new SearchEvent.BlocksPruned(p.Stage.Index, PrunePolicy.Name(state, p), removed,
                    state.Alive!.Without(removed.Select(r => (r.Layer, r.Block)).ToHashSet()));
            case SearchPhase.Scoring p when p.Pruned ? NextStage(state) is not null : !p.Stage.PrunesAtEnd && NextStage(state) is null
                && p.Scores.Covers(state.Alive!):
                return new SearchEvent.StageClosed(p.Stage.Index, state.Supernet);
            case SearchPhase.Deriving p when p.Scores.Count == p.Ranked.Count || !strategy.TrainsSupernet:
                return config.Finals.Rungs > 0 && strategy.HoldsFinals && Finals.First(p, config) is { Count: > 1 } first
                    ? new SearchEvent.FinalsOpened(0, first)
                    : Select(state, p.Ranked, p.Scores.OrderBy(s => s.Rank).Select(s => s.Accuracy).ToValueList(), null);
            case SearchPhase.Finals p when p.Runs.All(r => r.Result is not null):
                return (SearchEvent?)Finals.Next(p, config.Finals) ?? Select(state, p.Ranked, p.Accuracies, Finals.Best(p).First());
            case SearchPhase.Probing p when p.Probes.All(x => x.Passed is not null):
                return FaultDecider.Verdict(state, p);
            case SearchPhase.Retraining p when p.Runs.All(r => r.Result is not null):
                return new SearchEvent.SearchCompleted(p.Runs.Select(r => r.Result!).ToValueList(), p.Runs[0].Result!.WeightsHash);
            default:
                return null;
        }
    }

    private static StagePlan? NextStage(SearchState state) => state.Plan!.Stages.ElementAtOrDefault(state.Stages.Count);

    /// <summary>The winner of the finals; without them the best supernet accuracy, ties to the better rank.</summary>
    private static SearchEvent.ArchitectureSelected Select(SearchState state, ValueList<RankedArchitecture> ranked,
        ValueList<double> accuracies, Architecture? winner)
    {
        SearchConfig config = state.Config!;
        RankedArchitecture chosen = winner is null
            ? ranked[Enumerable.Range(0, accuracies.Count).OrderByDescending(i => accuracies[i]).ThenBy(i => i).FirstOrDefault()]
            : ranked.First(r => r.Architecture == winner);
        // A block that makes units fail would end the search in a control; the walk of before 0.4 did not look, and stored decisions stay
        // what they were.
        bool Wanted(Architecture a) => a != chosen.Architecture
            && (config.Controls.Draw == ControlDraw.Walk || !state.Quarantined.Any(q => a.Blocks[q.Layer] == q.Block));
        ValueList<Architecture> controls = RandomArchitectures.Near(
            state.Space!, ArchitectureBudget.Of(state.Space!, config.Cost) with { Macs = chosen.Cost.Macs }, config.Controls,
                SeededRandom.Derive(config.Search.Seed, "controls"), Wanted);
        return new(chosen.Architecture, chosen.Cost, accuracies, controls);
    }

    private static Decision Result(SearchState state, UnitResult result) => OutstandingWork.IsOutstanding(state, result.Unit)
        ? (state.Phase, result) switch
        {
            (SearchPhase.MeasuringDifficulty, UnitResult.DifficultyPoint r) => Point(state, r),
            (SearchPhase.Deriving, UnitResult.ArchitectureEvaluated r) =>
                Follow(state, new SearchEvent.ArchitectureScored(UnitIds.Last(r.Unit), r.Accuracy, r.Loss, r.Cost, r.Timing)),
            (SearchPhase.Finals p, UnitResult.SegmentRetrained r) => Segment(state, p.Runs, r),
            (SearchPhase.Retraining p, UnitResult.SegmentRetrained r) => Segment(state, p.Runs, r),
            (SearchPhase.Scoring p, UnitResult.BlocksTested r) => Tested(state, p, r),
            (SearchPhase.Probing, UnitResult.PathPassed r) =>
                Follow(state, new SearchEvent.PathProbed(UnitIds.Last(r.Unit), true, "passed", r.Cost, r.Timing)),
            _ => new Decision.Rejected($"{result.GetType().Name} does not belong to {result.Unit}"),
        }
        : new Decision.Ignored($"{result.Unit} is not outstanding: its result was accepted before");

    private static Decision.Accepted Point(SearchState state, UnitResult.DifficultyPoint r) =>
        Follow(state, new SearchEvent.ProxyMeasured(UnitIds.Part(r.Unit, 1), UnitIds.Last(r.Unit), r.Output, r.Accuracy,
            r.Loss, r.Cost, r.Timing));

    private static Decision Tested(SearchState state, SearchPhase.Scoring phase, UnitResult.BlocksTested r) =>
        r.Tests.Select(l => l.Count).SequenceEqual(state.Alive!.Layers.Select(l => l.Count))
            ? Follow(state, new SearchEvent.BlocksTested(phase.Stage.Index, phase.Stage.Look, r.Tests, r.Cost, r.Timing))
            : new Decision.Rejected($"{r.Unit} tests other blocks than those alive");

    private static Decision.Accepted Segment(SearchState state, ValueList<RunProgress> runs, UnitResult.SegmentRetrained r)
    {
        string run = UnitIds.Text(r.Unit, 1);
        RunProgress progress = runs.First(x => x.Name == run);
        SearchEvent done = new SearchEvent.SegmentCompleted(
            run, UnitIds.Last(r.Unit), r.Output, r.Loss, r.Accuracy, r.Cost, r.Timing)
        { Initial = r.Initial };
        if (r.TestAccuracy is not { } accuracy || r.WeightsHash is not { } hash)
            return Follow(state, done);
        SearchEvent model = Finals.IsFinal(run) ? new SearchEvent.FinalistMeasured(
            run, progress.Architecture, accuracy, hash) : new SearchEvent.ModelRetrained(
            run, progress.Architecture, r.Output, accuracy, r.TestPerClass ?? [], hash)
            { Confusion = r.Confusion };
        return progress.SegmentsDone > UnitIds.Last(r.Unit) ? Follow(state, model) : Follow(state, done, model);
    }

    private static Decision Round(SearchState state, SearchPhase.Training phase, SearchCommand.CompleteRound c)
    {
        if (c.Stage != phase.Stage.Index || c.Round != phase.Round)
            return new Decision.Ignored($"round {c.Round} of stage {c.Stage} is not the one that runs");
        if (!c.Shards.Select(s => s.Unit).SequenceEqual(OutstandingWork.Of(state).Select(u => u.Id).Take(c.Shards.Count)))
            return new Decision.Ignored($"round {c.Round} of stage {c.Stage} was rolled back meanwhile");
        if (c.Shards.Count != state.Config!.Rounds.Shards || (c.Shards.Count > 1 && c.Merged is null))
            return new Decision.Rejected($"round {c.Round} of stage {c.Stage} is not whole: {c.Shards.Count} of " +
                $"{state.Config.Rounds.Shards} shards");
        UnitCost cost = c.Shards.Select(s => s.Cost).Aggregate(c.Merged?.Cost ?? UnitCost.Zero, UnitCost.Add);
        double seconds = c.Shards.Sum(s => s.Timing.Seconds) + (c.Merged?.Timing.Seconds ?? 0);
        int window = Math.Max(1, (int)Math.Ceiling((phase.Stage.Rounds * state.Config.Evidence.Window) - 1e-9));
        bool inWindow = !phase.Stage.IsWarmup && Strategy.Of(state.Config).Evidence == EvidenceKind.Probability
            && c.Round >= phase.Stage.Rounds - window;
        double loss = c.Shards.Average(s => s.Loss);
        double limit = state.Config.Faults.LossLimit * Math.Log(Math.Max(2, phase.Stage.Classes.Count));
        if (!double.IsFinite(loss) || loss > limit)
            return FaultDecider.Diverged(state, phase, Invariant($"the round's mean loss is {loss:0.###}, over {limit:0.###}"));
        return Follow(state, new SearchEvent.RoundCompleted(
            c.Stage,
            c.Round,
            c.Merged?.Output ?? c.Shards[0].Output,
            loss,
            c.Shards.Average(s => s.Accuracy),
            c.Shards.Average(s => s.ArchitectureLoss),
            cost,
            new Timing(seconds),
            inWindow ? c.Shards.Select(s => s.Probabilities).ToValueList() : []));
    }

    private static Decision Evidence(SearchState state, SearchPhase.Scoring phase, SearchCommand.RecordEvidence c)
    {
        if (c.Stage != phase.Stage.Index || c.EvidenceRound != phase.Rounds.Count)
            return new Decision.Ignored($"evidence round {c.EvidenceRound} of stage {c.Stage} is not the one that runs");
        if (!c.Results.Select(r => r.Unit).SequenceEqual(OutstandingWork.Of(state).Select(u => u.Id)))
            return new Decision.Ignored($"evidence round {c.EvidenceRound} of stage {c.Stage} is another one since a " +
                $"block was quarantined");
        ValueList<ValueList<double>> accuracies = c.Results.SelectMany(r => r.Accuracies).ToValueList();
        if (accuracies.Count != c.Requests.Count)
            return new Decision.Rejected($"evidence round {c.EvidenceRound} has {accuracies.Count} answers to {c.Requests.Count} requests");
        UnitCost cost = c.Results.Select(r => r.Cost).Aggregate(UnitCost.Zero, UnitCost.Add);
        return Follow(state, new SearchEvent.EvidenceGathered(
            c.Stage, c.EvidenceRound, c.Requests, accuracies, cost, new Timing(c.Results.Sum(r => r.Timing.Seconds))));
    }
}
