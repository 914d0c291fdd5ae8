using DaNas.Domain.Stages;

namespace DaNas.Domain.Searches;

/// <summary>A search at a glance, for lists: a function of its state, so that it can be made anew from the journal at any time.</summary>
public sealed record SearchOverview(
    string Id,
    string Phase,
    int? Stage,
    int? Stages,
    int Blocks,
    int BlocksAtFirst,
    long Images,
    double LostSeconds,
    int Quarantined,
    string? Architecture,
    double? TestAccuracy,
    string DecisionHash,
    string? Reason)
{
    public static SearchOverview Of(SearchState state)
    {
        StagePlan? stage = SearchPhase.StageOf(state.Phase);
        return new(
            state.Started?.Id.Text ?? string.Empty,
            state.Phase.GetType().Name,
            stage is null ? null : stage.Index + 1,
            state.Config?.Curriculum.Fractions.Count,
            state.Alive?.Count ?? 0,
            state.Space?.Layers.Sum(l => l.Candidates.Count) ?? 0,
            state.Cost.ForwardImages,
            Math.Round(state.LostSeconds, 3),
            state.Quarantined.Count,
            state.Selected?.Winner.Text,
            (state.Phase as SearchPhase.Completed)?.Models[0].TestAccuracy,
            state.DecisionHash.Hex,
            (state.Phase as SearchPhase.Failed)?.Reason);
    }
}
