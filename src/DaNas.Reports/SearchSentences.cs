using DaNas.Domain.Estimates;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>A search in sentences: a milestone, what it is doing, how it ended.</summary>
internal static class SearchSentences
{
    /// <summary>The line of an event that people follow a search by; null for all others.</summary>
    public static string? Milestone(SearchEvent e, SearchState state) => e switch
    {
        SearchEvent.SearchStarted s =>
            Invariant($"search started: {s.Data.Name}, {s.Data.Classes.Count} classes, {s.Data.TrainImages:N0} training images"),
        SearchEvent.SearchResumed s when s.NumericsProfile.Length > 0 =>
            Invariant($"search resumed (epoch {s.Epoch}); the interruption cost {s.Lost.Seconds:0.0} s (repeated work and the restart)"),
        SearchEvent.ProxyMeasured p =>
            Invariant($"difficulty: proxy {p.ProxySeed + 1}, point {p.Point + 1}: mean held-out accuracy {p.Accuracy.Average():0.000}"),
        SearchEvent.DifficultyMeasured { Verdict: { IsOrder: false } v } => Invariant($"{v}; continuing with random images of all classes"),
        SearchEvent.DifficultyMeasured { Verdict: { } v } d =>
            Invariant($"classes from easy to hard: {string.Join(", ", d.EasyToHard.Select(c => state.Started!.Data.Classes[c]))} ({v})"),
        SearchEvent.DifficultyMeasured d when d.Difficulty.Count > 0 =>
            Invariant($"classes from easy to hard: {string.Join(", ", d.EasyToHard.Select(c => state.Started!.Data.Classes[c]))}"),
        SearchEvent.StageOpened s =>
            Invariant($"{Name(s.Plan)}: {s.Plan.Classes.Count} classes, {s.Alive.Count} blocks remaining, {s.Plan.Rounds} rounds"),
        SearchEvent.StageExtended s =>
            Invariant($"{Name(s.Plan)}: the evidence is sufficient for {s.Sure} of the {s.Asked} blocks to prune; extending the stage to " +
                $"{s.Plan.Rounds} rounds, at most {state.Config!.Prune.TrainOn} times the scheduled number"),
        SearchEvent.BlocksPruned p =>
            Invariant($"{p.Removed.Count} blocks pruned (rule {p.Rule}), {p.Alive.Count} remaining, by layer {p.Alive}"),
        SearchEvent.ArchitectureSelected a => Invariant($"winner {a.Winner.Text} ({a.Cost.Macs:N0} MACs); retraining it and " +
            $"{a.Controls.Count} controls (random architectures of about the same cost)"),
        SearchEvent.FinalsOpened f => Invariant($"finals, rung {f.Rung + 1}: {f.Finalists.Count} architectures{OfHowMany(f, state)} " +
            $"trained stand-alone, {Finals.Steps(state.Config!, state.Started!.Data, f.Rung)} steps each"),
        SearchEvent.ModelRetrained m =>
            Invariant($"{m.Run} retrained: {state.Config!.Retrain.MeasuredName} accuracy {m.TestAccuracy:0.0000}"),
        SearchEvent.AttemptFailed a when !Domain.Work.OutstandingWork.IsOutstanding(state, a.Unit) =>
            Invariant($"attempt {a.Attempt} of {a.Unit}, which is already complete, failed ({a.Cause})"),
        SearchEvent.AttemptFailed a => Invariant($"attempt {a.Attempt} of {a.Unit} failed " +
            $"({a.Cause}){(a.Counts && a.Attempt >= state.Config!.Trainers.Attempts ? string.Empty : "; retrying")}"),
        SearchEvent.SearchFailed f => Invariant($"search failed: {f.Reason}; remedy: {f.Remedy}"),
        _ => null,
    };

    /// <summary>A stage: warm-up, stage 1, ...</summary>
    public static string Name(Domain.Stages.StagePlan plan) => plan.IsWarmup ? "warm-up" : Invariant($"stage {plan.Index}");

    /// <summary>What a search is at, in words.</summary>
    public static string Where(SearchState state) => state.Phase switch
    {
        SearchPhase.MeasuringDifficulty => "measuring class difficulty",
        SearchPhase.Training p => Invariant($"{Name(p.Stage)}, round {p.Round + 1} of {p.Stage.Rounds}"),
        SearchPhase.Retraining => "retraining",
        SearchPhase.Deriving => "comparing candidates",
        SearchPhase.Finals p => Invariant($"finals, rung {p.Rung + 1} of at most {state.Config!.Finals.Rungs}"),
        _ => "deciding",
    };

    /// <summary>The verdict, what else would have been chosen, budget, cost and time: what stands below the tables of a search.</summary>
    public static IEnumerable<string> Closing(SearchRecord record)
    {
        SearchState state = record.State;
        if (state.Phase is SearchPhase.Completed done && state.Selected is { } selected)
        {
            (ValueList<RetrainedModel> winner, ValueList<RetrainedModel> controls) = RetrainPlan.Comparison(done.Models);
            if (controls.Count > 0)
                yield return Invariant($"winner {winner.Average(m => m.TestAccuracy):0.0000}, mean of {controls.Count} random " +
                    $"architectures with about the same MACs {controls.Average(m => m.TestAccuracy):0.0000}");
            if (SearchVerdict.Of(state) is { } verdict)
                yield return Invariant($"verdict: {verdict.Sentence}; difference {100 * verdict.Difference:+0.0;-0.0} " +
                    $"points{(double.IsFinite(verdict.Low) ? Invariant(
                    $" [{100 * verdict.Low:0.0}, {100 * verdict.High:0.0}]") : string.Empty)}");
            if (FinalistComparison.Of(state, record.Events.Select(e => e.Event).OfType<SearchEvent>()) is { } finalists)
                yield return $"finalists: {finalists}";
            if (PredictorChoice.Of(state, record.Events.Select(e => e.Event).OfType<SearchEvent>()) is { Count: > 0 } choices)
                yield return $"baselines that need no search would have chosen: {string.Join("; ", choices)}";
            if (state.Budget > 0)
                yield return Invariant($"budget {state.Budget:N0} MACs; winner uses " +
                    $"{selected.Cost.Macs:N0}{(selected.Cost.Macs > state.Budget ? " (over budget)" : string.Empty)}");
            if (state.Config!.Cost is { TargetMilliseconds: > 0, Latency: { } table })
                yield return Invariant($"latency limit {state.Config.Cost.TargetMilliseconds:0.###} ms according to the table " +
                    $"for {table.Device}; " +
                        $"winner {table.Of(selected.Winner):0.###} " +
                        $"ms{(table.Of(selected.Winner) > state.Config.Cost.TargetMilliseconds ? " (over the limit)" : string.Empty)}");
        }

        yield return Invariant($"cost: {state.Cost.ForwardImages:N0} forward-pass images, {state.Cost.BackwardImages:N0} " +
            $"backward-pass images, " +
                $"{state.Cost.ForwardMacs:N0} forward-pass MACs");
        yield return Invariant($"time: {Durations.Text(record.ActiveSeconds)} active, {state.LostSeconds:0.0} s lost to faults");
    }

    private static string OfHowMany(SearchEvent.FinalsOpened f, SearchState state) =>
        f.Rung == 0 && state.Phase is SearchPhase.Finals { Ranked.Count: var all } && all > f.Finalists.Count
            ? Invariant($" of {all}, the best by supernet accuracy,") : string.Empty;
}
