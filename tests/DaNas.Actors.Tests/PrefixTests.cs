using DaNas.Domain.Searches;
using DaNas.Drills;
using DaNas.Simulation;

namespace DaNas.Actors.Tests;

/// <summary>A journal that ends after any of its events, even inside a transaction, goes on to the same end.</summary>
public sealed class PrefixTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 0)]
    public void Every_prefix_of_a_journal_goes_on_to_the_same_end(int variant, int misfortune)
    {
        (SimulatedSearch search, CleanRun clean) = SimulationSuite.Make(variant, misfortune);
        List<SearchEvent> events = [];
        search.RunClean([], (_, e) => events.Add(e));
        for (int n = 1; n < events.Count; n++)
        {
            SearchState cut = events.Take(n).Aggregate(SearchState.Initial, SearchEvolver.Evolve);
            List<SearchEvent> known =
                [.. events.Take(n), .. ((Decision.Accepted)SearchDecider.Decide(cut, new SearchCommand.Resume(2, "simulated", 0))).Events];
            CleanRun end = search.RunClean(known);
            end.State.DecisionHash.ShouldBe(clean.State.DecisionHash,
                $"after {n} of {events.Count} events ({events[n - 1].GetType().Name})");
            end.State.Phase.ShouldBe(clean.State.Phase, $"after {n} events");
        }
    }
}
