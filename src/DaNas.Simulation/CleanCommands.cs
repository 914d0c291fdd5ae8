using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Simulation;

/// <summary>One step of a search without actors.</summary>
internal static class CleanCommands
{
    public static IReadOnlyList<SearchCommand> Of(SearchState state, Func<WorkUnit, UnitOutcome> answer)
    {
        ValueList<WorkUnit> units = OutstandingWork.Of(state);
        switch (state.Phase)
        {
            case SearchPhase.Training p:
                UnitOutcome[] shards = [.. units.Select(answer)];
                if (Failures(units, shards) is { Count: > 0 } failed)
                    return failed;
                ValueList<UnitResult.ShardTrained> results =
                    shards.Select(s => (UnitResult.ShardTrained)((UnitOutcome.Completed)s).Result).ToValueList();
                UnitResult.RoundMerged? merged = results.Count > 1
                    ? (UnitResult.RoundMerged)((UnitOutcome.Completed)answer(OutstandingWork.Merge(state, p, results))).Result : null;
                return [new SearchCommand.CompleteRound(p.Stage.Index, p.Round, results, merged)];
            case SearchPhase.Scoring p when units[0] is not WorkUnit.TestBlocks:
                UnitOutcome[] answers = [.. units.Select(answer)];
                if (Failures(units, answers) is { Count: > 0 } wrong)
                    return wrong;
                ValueList<UnitResult.BlocksEvaluated> evaluated =
                    answers.Select(a => (UnitResult.BlocksEvaluated)((UnitOutcome.Completed)a).Result).ToValueList();
                return [new SearchCommand.RecordEvidence(p.Stage.Index, p.Rounds.Count,
                    Domain.Evaluation.StageEvidence.Requests(state, p), evaluated)];
            default:
                return [.. units.Select(u => answer(u) switch
                {
                    UnitOutcome.Completed c => (SearchCommand)new SearchCommand.AcceptResult(c.Result),
                    UnitOutcome.Failed f => Exhausted(u, f),
                    _ => throw new InvalidOperationException(),
                })];
        }
    }

    private static List<SearchCommand> Failures(ValueList<WorkUnit> units, UnitOutcome[] outcomes) =>
        [.. units.Zip(outcomes).Where(x => x.Second is UnitOutcome.Failed)
            .Select(x => Exhausted(x.First, (UnitOutcome.Failed)x.Second)).Take(1)];

    private static SearchCommand.RecordFailedAttempt Exhausted(WorkUnit unit, UnitOutcome.Failed f) =>
        new(unit.Id, 1, f.Kind, f.Cause, 0, true);
}
