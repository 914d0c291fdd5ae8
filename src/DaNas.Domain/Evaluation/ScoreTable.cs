using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Evaluation;

/// <summary>
/// Scores of the blocks of a stage, ordered by layer and then by the space's order: the one interchange point of strategies.
/// </summary>
public sealed record ScoreTable(ValueList<BlockScore> Scores)
{
    public static ScoreTable Empty { get; } = new(ValueList<BlockScore>.Empty);

    /// <summary>The table with more scores in it, in canonical order; a block scored again keeps the newer score.</summary>
    public ScoreTable Merge(IEnumerable<BlockScore> scores, AliveBlocks alive)
    {
        Dictionary<(int, string), BlockScore> all = Scores.ToDictionary(s => (s.Layer, s.Block));
        foreach (BlockScore score in scores)
            all[(score.Layer, score.Block)] = score;
        return new(alive.Layers.SelectMany((layer, l) => layer.Select(b => all.GetValueOrDefault((l, b)))
            .OfType<BlockScore>()).ToValueList());
    }

    public ValueList<BlockScore> OfLayer(int layer) => Scores.Where(s => s.Layer == layer).ToValueList();

    public double Of(int layer, string block) => Scores.FirstOrDefault(s => s.Layer == layer && s.Block == block)?.Score ?? 0;

    public bool Covers(AliveBlocks alive) => Scores.Count == alive.Count;
}
