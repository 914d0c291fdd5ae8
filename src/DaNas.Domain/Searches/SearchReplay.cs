using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>A decision in a journal that this version would not make on the same evidence.</summary>
public sealed record ReplayDifference(long Sequence, SearchEvent Recorded, SearchEvent? Expected);

/// <summary>
/// Decides again what a journal says was decided, on the results that it holds: a rule that changed between versions, or one that is not a function of
/// its inputs, shows.
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
                SearchEvent? expected = Expected(state, events[i]);
                if (!events[i].Equals(expected))
                    return (decided, new(i + 1, events[i], expected));
                decided++;
            }

            state = SearchEvolver.Evolve(state, events[i]);
        }

        return (decided, null);
    }

    private static bool IsDerived(SearchEvent e) => e is SearchEvent.DifficultyMeasured or SearchEvent.StageOpened or SearchEvent.StageExtended or SearchEvent.StageClosed or SearchEvent.BlockScored or SearchEvent.BlocksPruned
        or SearchEvent.ArchitecturesRanked or SearchEvent.FinalsOpened or SearchEvent.ArchitectureSelected or SearchEvent.SearchCompleted or SearchEvent.BlocksQuarantined;

    private static SearchEvent? Expected(SearchState state, SearchEvent recorded) => (state.Phase, recorded) switch
    {
        (SearchPhase.Scoring p, SearchEvent.BlockScored e) => Score(state, p, e.Score) is { } score ? new SearchEvent.BlockScored(p.Stage.Index, score) : null,
        (SearchPhase.Scoring p, SearchEvent.BlocksPruned) => Pruned(state, p),
        _ => SearchDecider.Next(state),
    };

    private static BlockScore? Score(SearchState state, SearchPhase.Scoring phase, BlockScore recorded) => recorded.Layer < state.Alive!.Layers.Count && state.Alive.Layers[recorded.Layer].Contains(recorded.Block)
        ? StageEvidence.Score(state, phase, recorded.Layer, recorded.Block)
        : null;

    private static SearchEvent? Pruned(SearchState state, SearchPhase.Scoring phase)
    {
        ValueList<Removal> removed = PrunePolicy.Decide(state, phase);
        Decision decision = SearchDecider.Decide(state, new SearchCommand.ProposePruning(phase.Stage.Index, removed));
        return decision is Decision.Accepted accepted ? accepted.Events[0] : null;
    }
}
