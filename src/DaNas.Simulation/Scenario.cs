using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Simulation;

/// <summary>A search to simulate: its configuration and data, and what its engine answers to a unit.</summary>
public sealed record SimulatedSearch(SearchConfig Config, DatasetSummary Data, Func<WorkUnit, UnitOutcome> Answer)
{
    public static SearchId Id { get; } = new("simulated");

    public SearchEvent.SearchStarted First => new(Id, Config.Text, Config.Hash, Data, "simulated", "tabular");

    /// <summary>
    /// The search without actors, faults or time: decide, evolve, answer, until it is over. What every simulated run must equal. A unit that
    /// fails by its own fault is reported as exhausted at once. It can go on from events that are known, and tells of each new one.
    /// </summary>
    public CleanRun RunClean(IReadOnlyList<SearchEvent>? known = null, Action<SearchState, SearchEvent>? stored = null)
    {
        SearchState state = (known ?? []).Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        int units = 0;
        Apply(new SearchCommand.Start(First));
        Apply(new SearchCommand.Proceed()); // What is known may end within what one command brings.
        while (!state.IsOver)
        {
            SearchState before = state;
            foreach (SearchCommand command in Commands(state))
                Apply(command);
            if (ReferenceEquals(before, state))
                throw new InvalidOperationException($"the search does not get on: {state.Phase.GetType().Name}");
        }

        return new CleanRun(state, units);

        void Apply(SearchCommand command)
        {
            if (SearchDecider.Decide(state, command) is not Decision.Accepted accepted)
                return;
            foreach (SearchEvent e in accepted.Events)
            {
                state = SearchEvolver.Evolve(state, e);
                stored?.Invoke(state, e);
            }
        }

        IEnumerable<SearchCommand> Commands(SearchState s) => CleanCommands.Of(s, u =>
        {
            units++;
            return Answer(u);
        });
    }
}

/// <summary>The end of a search without faults, and how many units it took.</summary>
public sealed record CleanRun(SearchState State, int Units);

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
                ValueList<UnitResult.ShardTrained> results = shards.Select(s => (UnitResult.ShardTrained)((UnitOutcome.Completed)s).Result).ToValueList();
                UnitResult.RoundMerged? merged = results.Count > 1 ? (UnitResult.RoundMerged)((UnitOutcome.Completed)answer(OutstandingWork.Merge(state, p, results))).Result : null;
                return [new SearchCommand.CompleteRound(p.Stage.Index, p.Round, results, merged)];
            case SearchPhase.Scoring p when units[0] is not WorkUnit.TestBlocks:
                UnitOutcome[] answers = [.. units.Select(answer)];
                if (Failures(units, answers) is { Count: > 0 } wrong)
                    return wrong;
                ValueList<UnitResult.BlocksEvaluated> evaluated = answers.Select(a => (UnitResult.BlocksEvaluated)((UnitOutcome.Completed)a).Result).ToValueList();
                return [new SearchCommand.RecordEvidence(p.Stage.Index, p.Rounds.Count, Domain.Evaluation.StageEvidence.Requests(state, p), evaluated)];
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
        [.. units.Zip(outcomes).Where(x => x.Second is UnitOutcome.Failed).Select(x => Exhausted(x.First, (UnitOutcome.Failed)x.Second)).Take(1)];

    private static SearchCommand.RecordFailedAttempt Exhausted(WorkUnit unit, UnitOutcome.Failed f) => new(unit.Id, 1, f.Kind, f.Cause, 0, true);
}
