using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Domain.Pruning;

/// <summary>
/// <c>prune.when = sure</c>: of the floor(r n) blocks that the rule asks a layer for, only those go that are under its cut with an error of
/// at most <c>prune.error</c> over all blocks, stages and looks of the search. A stage that has not got them all trains on, up to
/// <c>prune.train-on</c> times its length.
/// </summary>
public static class SurePruning
{
    /// <summary>The blocks that are surely under the cut, ordered by layer and block.</summary>
    public static ValueList<Removal> Decide(SearchState state, SearchPhase.Scoring phase)
    {
        PruneOptions o = state.Config!.Prune;
        double error = state.Plan!.ErrorOfLook(o, phase.Stage.Look);
        List<Removal> removed = [];
        for (int l = 0; l < state.Alive!.Layers.Count; l++)
        {
            ValueList<string> alive = state.Alive.Layers[l];
            int count = o.Removed(alive.Count);
            double cut = count > 0 ? phase.Tests[l].Select(t => 0 - t.Effect).Order().ElementAt(count) : 0;
            removed.AddRange(alive.Zip(phase.Tests[l]).Where(b => count > 0 && b.Second.Probability <= error)
                .OrderBy(b => b.First, StringComparer.Ordinal).Select(b => new Removal(
                l, b.First, 0 - b.Second.Effect, cut, Invariant($"surely worse than {alive.Count - count} of the {alive.Count} blocks of " +
                    $"its layer: by chance with probability {b.Second.Probability:0.######}, of which {error:0.######} is allowed"))));
        }

        return removed.ToValueList();
    }

    /// <summary>How many blocks the rule asks for.</summary>
    public static int Asked(SearchState state) => state.Alive!.Layers.Sum(l => state.Config!.Prune.Removed(l.Count));

    /// <summary>The stage's next look, where it cannot decide all yet and may train on.</summary>
    internal static SearchEvent.StageExtended? TrainsOn(SearchState state, SearchPhase.Scoring phase)
    {
        PruneOptions o = state.Config!.Prune;
        if (o.When != PruneWhen.Sure || !phase.Stage.PrunesAtEnd || phase.Tests.Count == 0 || phase.Scores.Scores.Count > 0 || phase.Pruned
            || phase.Stage.Look + 1 >= o.Looks)
            return null;
        (int sure, int asked) = (Decide(state, phase).Count, Asked(state));
        return sure < asked ? new(phase.Stage.TrainedOn(o), sure, asked) : null;
    }

    internal static string Name(SearchState state, SearchPhase.Scoring phase) =>
        Invariant($"sure: {Decide(state, phase).Count} of {Asked(state)} at error {state.Config!.Prune.Error}");
}
