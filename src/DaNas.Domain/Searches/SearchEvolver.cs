using System.Text.Json;
using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>The fold: state and event to state. Pure; an event that cannot follow its state is an error, never ignored.</summary>
public static class SearchEvolver
{
    public static SearchState Evolve(SearchState state, SearchEvent @event)
    {
        SearchState next = (state.Phase, @event) switch
        {
            (SearchPhase.NotStarted, SearchEvent.SearchStarted e) => Start(e),
            (_, SearchEvent.SearchResumed e) => FaultEvolver.Resume(state, e),
            (_, SearchEvent.AttemptFailed e) => state with { LostSeconds = state.LostSeconds + e.Lost.Seconds },
            (SearchPhase.MeasuringDifficulty p, SearchEvent.ProxyMeasured e)
                when e.Point == p.Proxies[e.ProxySeed].Accuracy.Count => Measured(state, p, e),
            (SearchPhase.MeasuringDifficulty or SearchPhase.BetweenStages, SearchEvent.DifficultyMeasured e) => WithDifficulty(state, e),
            (SearchPhase.BetweenStages, SearchEvent.StageOpened e) =>
                state with { Phase = new SearchPhase.Training(e.Plan, 0, []), Alive = e.Alive, RollBacks = 0 },
            (SearchPhase.Training p, SearchEvent.RoundCompleted e) => Round(state, p, e),
            (SearchPhase.Scoring p, SearchEvent.EvidenceGathered e) =>
                Spend(state, e.Cost) with { Phase = p with { Rounds = p.Rounds.Add(new(e.Requests, e.Accuracies)) } },
            (SearchPhase.Scoring p, SearchEvent.BlocksTested e) => Spend(state, e.Cost) with { Phase = p with { Tests = e.Tests } },
            (SearchPhase.Scoring p, SearchEvent.StageExtended e) => Extended(state, p, e),
            (SearchPhase.Scoring p, SearchEvent.BlockScored e) =>
                state with { Phase = p with { Scores = p.Scores.Merge([e.Score], state.Alive!) } },
            (SearchPhase.Scoring p, SearchEvent.BlocksPruned e) => Pruned(state, p, e),
            (SearchPhase.Scoring or SearchPhase.Training, SearchEvent.StageClosed e) => Closed(state, e),
            (SearchPhase.BetweenStages, SearchEvent.ArchitecturesRanked e) =>
                state with { Phase = new SearchPhase.Deriving(e.BudgetMacs, e.Ranked, []) },
            (SearchPhase.Deriving p, SearchEvent.ArchitectureScored e) when p.Scores.All(s => s.Rank != e.Rank) =>
                Spend(state, e.Cost) with { Phase = p with { Scores = p.Scores.Add(new(e.Rank, e.Accuracy, e.Loss)) } },
            (SearchPhase.Deriving or SearchPhase.Finals, SearchEvent.FinalsOpened e) => state with { Phase = Finals.Open(state.Phase, e) },
            (SearchPhase.Finals p, SearchEvent.SegmentCompleted e) when IsDue(p.Runs, e) =>
                Spend(state, e.Cost) with { Phase = p with { Runs = Run(p.Runs, e) } },
            (SearchPhase.Finals p, SearchEvent.FinalistMeasured e) => state with
            {
                Phase = p
                with
                { Runs = Run(p.Runs, e.Run, r => r with { Result = new(e.Run, e.Architecture, e.Accuracy, e.WeightsHash) }) }
            },
            (SearchPhase.Deriving or SearchPhase.Finals or SearchPhase.BetweenStages,
                SearchEvent.ArchitectureSelected e) => Selected(state, e),
            (SearchPhase.Retraining p, SearchEvent.SegmentCompleted e) when IsDue(p.Runs, e) =>
                Spend(state, e.Cost) with { Phase = new SearchPhase.Retraining(Run(p.Runs, e)) },
            (SearchPhase.Retraining p, SearchEvent.ModelRetrained e) =>
                state with
                {
                    Weights = state.Weights.Add(e.Weights),
                    Phase = new SearchPhase.Retraining(
                    Run(p.Runs, e.Run, r => r with { Result = new(e.Run, e.Architecture, e.TestAccuracy, e.WeightsHash) }))
                },
            (SearchPhase.Retraining, SearchEvent.SearchCompleted e) =>
                state with { Phase = new SearchPhase.Completed(e.Models, e.WeightsHash) },
            (not SearchPhase.NotStarted, SearchEvent.SearchFailed e) => state
                with
            { Phase = new SearchPhase.Failed(e.Reason, e.Remedy, (state.Phase as SearchPhase.Failed)?.Before ?? state.Phase) },
            (not SearchPhase.NotStarted, _) when FaultEvolver.Evolve(state, @event) is { } faulted => faulted,
            _ => throw new InvalidDataException($"{@event.GetType().Name} cannot follow {state.Phase.GetType().Name}: the journal is not " +
                $"one of this product's"),
        };
        return @event is IDecision ? next with { DecisionHash = Chain(state.DecisionHash, @event) } : next;
    }

    /// <summary>h(n) = SHA-256(h(n-1), newline, type name, newline, canonical JSON without what is outside decisions).</summary>
    public static Digest Chain(Digest before, SearchEvent decision) =>
        Digest.Of($"{before}\n{decision.GetType().Name}\n{JsonSerializer.Serialize(decision, decision.GetType(), DomainJson.Canonical)}");

    private static SearchState Start(SearchEvent.SearchStarted e)
    {
        SearchConfig config = SearchConfig.FromCanonicalText(e.Configuration);
        SearchSpace space = config.SpaceFor(e.Data.Classes.Count);
        SearchPhase phase = Strategies.Strategy.Of(config).MeasuresDifficulty
            ? new SearchPhase.MeasuringDifficulty(Enumerable.Range(0, config.Difficulty.Seeds)
                .Select(s => new ProxyProgress(s, UnitChain.Empty, [], [])).ToValueList())
            : new SearchPhase.BetweenStages();
        return new SearchState(phase) { Started = e, Config = config, Space = space, Alive = space.AllBlocks };
    }

    private static SearchState Measured(SearchState state, SearchPhase.MeasuringDifficulty phase, SearchEvent.ProxyMeasured e)
    {
        ProxyProgress p = phase.Proxies[e.ProxySeed];
        ProxyProgress next = p with
        {
            Chain = p.Chain.Add(new(e.Output, e.Cost)),
            Accuracy = p.Accuracy.Add(e.Accuracy),
            Loss = p.Loss.Add(e.Loss)
        };
        return Spend(state, e.Cost) with { Phase = new SearchPhase.MeasuringDifficulty(phase.Proxies.With(e.ProxySeed, next)) };
    }

    private static SearchState WithDifficulty(SearchState state, SearchEvent.DifficultyMeasured e)
    {
        CurriculumOptions asked = state.Config!.Curriculum;
        ClassCurriculum curriculum = ClassCurriculum.From(e.EasyToHard, e.Verdict is { IsOrder: false }
            ? asked with { Order = ClassOrder.AllClassesSubsampled } : asked, state.Config.Search.Seed);
        return state with
        {
            Phase = new SearchPhase.BetweenStages(),
            Difficulty = new ClassDifficulty(e.Difficulty, e.EasyToHard),
            DifficultyVerdict = e.Verdict,
            Plan = StagePlanner.Plan(state.Config, state.Started!.Data, curriculum),
        };
    }

    private static SearchState Round(SearchState state, SearchPhase.Training phase, SearchEvent.RoundCompleted e)
    {
        if (e.Stage != phase.Stage.Index || e.Round != phase.Round)
            throw new InvalidDataException($"round {e.Round} of stage {e.Stage} cannot follow round {phase.Round} of stage " +
                $"{phase.Stage.Index}: the journal is not one of this product's");
        StageRecord record = state.Stages.LastOrDefault(s => s.Plan.Index == e.Stage)
            ?? new StageRecord(phase.Stage, state.Alive!, state.Alive!, UnitCost.Zero, 0, 0);
        record = record with { Cost = record.Cost + e.Cost, Loss = e.Loss, Accuracy = e.Accuracy };
        ValueList<ValueList<ValueList<double>>> samples = [.. phase.Samples, .. e.Probabilities];
        bool last = e.Round + 1 == phase.Stage.Rounds;
        return Spend(state, e.Cost) with
        {
            Supernet = e.Output,
            Stages = [.. state.Stages.Where(s => s.Plan.Index != e.Stage), record],
            RoundBlobs = state.RoundBlobs.Add(e.Output).TakeLast(state.Config!.Blobs.KeepRounds).ToValueList(),
            Marks = FaultEvolver.WithMark(state),
            Phase = last && !phase.Stage.IsWarmup
                ? new SearchPhase.Scoring(phase.Stage, samples, [], ScoreTable.Empty, false)
                : phase with { Round = e.Round + 1, Samples = samples },
        };
    }

    private static SearchState Extended(SearchState state, SearchPhase.Scoring phase, SearchEvent.StageExtended e) => state with
    {
        Phase = new SearchPhase.Training(e.Plan, phase.Stage.Rounds, []),
        Plan = state.Plan!.With(e.Plan),
        Stages = state.Stages.Select(s => s.Plan.Index == e.Plan.Index ? s with { Plan = e.Plan } : s).ToValueList(),
    };

    private static SearchState Pruned(SearchState state, SearchPhase.Scoring phase, SearchEvent.BlocksPruned e) => state with
    {
        Phase = phase with { Pruned = true },
        Alive = e.Alive,
        Stages = state.Stages.Select(s => s.Plan.Index == e.Stage ? s with { After = e.Alive } : s).ToValueList(),
    };

    private static SearchState Closed(SearchState state, SearchEvent.StageClosed e) => state with
    {
        Phase = new SearchPhase.BetweenStages(),
        LastScores = (state.Phase as SearchPhase.Scoring)?.Scores ?? state.LastScores,
        StageBlobs = e.Supernet is null ? state.StageBlobs : state.StageBlobs.Add(e.Supernet),
    };

    private static SearchState Selected(SearchState state, SearchEvent.ArchitectureSelected e) =>
        state with { Selected = e, Phase = new SearchPhase.Retraining(RetrainPlan.Of(state, e)) };

    private static bool IsDue(ValueList<RunProgress> runs, SearchEvent.SegmentCompleted e) =>
        runs.Any(r => r.Name == e.Run && r.SegmentsDone == e.Segment);

    private static ValueList<RunProgress> Run(ValueList<RunProgress> runs, SearchEvent.SegmentCompleted e) =>
        Run(runs, e.Run, r => r with { Chain = r.Chain.Add(new(e.Output, e.Cost)) });

    private static ValueList<RunProgress> Run(ValueList<RunProgress> runs, string name, Func<RunProgress, RunProgress> change) =>
        runs.Select(r => r.Name == name ? change(r) : r).ToValueList();

    private static SearchState Spend(SearchState state, UnitCost cost) => state with { Cost = state.Cost + cost };
}
