using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Strategies;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Evaluation;

/// <summary>The samples of a stage, block by block, from what is stored.</summary>
public static class StageEvidence
{
    /// <summary>
    /// The samples of one block: its probabilities over the window (one a shard and round), or its path accuracies.
    /// A block without rivals in its layer has score 1.
    /// </summary>
    public static ValueList<double> Samples(SearchState state, SearchPhase.Scoring phase, int layer, string block)
    {
        ValueList<string> alive = state.Alive!.Layers[layer];
        if (alive.Count == 1)
            return [1.0];
        if (Strategy.Of(state.Config!).Evidence == EvidenceKind.Probability)
        {
            int index = alive.TakeWhile(b => b != block).Count();
            return phase.Samples.Select(s => s[layer][index]).ToValueList();
        }

        return phase.Rounds
            .SelectMany(r => r.Requests.Zip(r.Accuracies).Where(x => x.First.Layer == layer && x.First.Block == block)
                .SelectMany(x => x.Second))
            .ToValueList();
    }

    /// <summary>
    /// The test of one block at the stage's latest look; null where the evidence is of another kind, or the block has no rivals.
    /// </summary>
    public static BlockTest? Test(SearchState state, SearchPhase.Scoring phase, int layer, string block) =>
        phase.Tests.Count > 0 && state.Alive!.Layers[layer] is { Count: > 1 } alive
        ? phase.Tests[layer][alive.TakeWhile(b => b != block).Count()]
        : null;

    /// <summary>The score of one block on the evidence stored so far.</summary>
    public static BlockScore Score(SearchState state, SearchPhase.Scoring phase, int layer, string block) =>
        Test(state, phase, layer, block) is { } test
        ? BlockScore.Of(layer, block, test, state.Config!.Evidence.Confidence)
        : BlockScore.Of(layer, block, Samples(state, phase, layer, block), state.Config!.Evidence.Confidence);

    /// <summary>All scores on the evidence stored so far.</summary>
    public static ScoreTable Scores(SearchState state, SearchPhase.Scoring phase) =>
        new(state.Alive!.Layers.SelectMany((l, i) => l.Select(b => Score(state, phase, i, b))).ToValueList());

    /// <summary>
    /// The next block to score, by layer and the space's order, once all evidence is there; null before, and when all are scored.
    /// </summary>
    public static BlockScore? NextScore(SearchState state, SearchPhase.Scoring phase)
    {
        if (phase.Scores.Scores.Count == 0 && OutstandingWork.Of(state).Count > 0)
            return null;
        HashSet<(int Layer, string Block)> scored = phase.Scores.Scores.Select(s => (s.Layer, s.Block)).ToHashSet();
        return state.Alive!.Layers.SelectMany((l, i) => l.Where(b => !scored.Contains((i, b)))
            .Select(b => Score(state, phase, i, b))).FirstOrDefault();
    }

    /// <summary>What the next round of validation evidence asks; empty when there is enough, or none is wanted.</summary>
    public static ValueList<BlockRequest> Requests(SearchState state, SearchPhase.Scoring phase) =>
        Strategy.Of(state.Config!).Evidence == EvidenceKind.Validation
            ? EvidencePlanner.Next(phase.Rounds.Count == 0 ? ScoreTable.Empty : Scores(state, phase), state.Alive!,
                state.Config!, phase.Rounds.Count)
            : [];
}
