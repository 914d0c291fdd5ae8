namespace DaNas.Domain.Searches;

/// <summary>
/// Decides again what a journal says was decided, on the results that it holds: a rule that changed between versions, or one that is not a
/// function of its inputs, shows.
/// </summary>
public static class SearchReplay
{
    /// <summary>How many events were decided again, and the first that comes out otherwise.</summary>
    public static (int Checked, ReplayDifference? Difference) Check(IReadOnlyList<SearchEvent> events)
    {
        SearchState state = SearchState.Initial;
        int decided = 0;
        for (int i = 0; i < events.Count; i++)
        {
            if (IsDerived(events[i]))
            {
                SearchEvent? expected = SearchDecider.Next(state);
                if (!events[i].Equals(expected))
                    return (decided, new(i + 1, events[i], expected));
                decided++;
            }

            state = SearchEvolver.Evolve(state, events[i]);
        }

        return (decided, null);
    }

    private static bool IsDerived(SearchEvent e) => e is SearchEvent.DifficultyMeasured or SearchEvent.StageOpened
        or SearchEvent.StageExtended or SearchEvent.StageClosed or SearchEvent.BlockScored or SearchEvent.BlocksPruned
        or SearchEvent.ArchitecturesRanked or SearchEvent.FinalsOpened or SearchEvent.ArchitectureSelected or SearchEvent.SearchCompleted
            or SearchEvent.BlocksQuarantined;
}
