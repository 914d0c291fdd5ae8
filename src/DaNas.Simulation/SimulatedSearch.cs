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
    /// The search without actors, faults or time: decide, evolve, answer, until it is over. What every simulated run must equal. A unit
    /// that fails by its own fault is reported as exhausted at once. It can go on from events that are known, and tells of each new one.
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
