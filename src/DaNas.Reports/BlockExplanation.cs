using System.Text.Json.Serialization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>
/// A block's score after a stage, its interval, and the chance that it fell below the cut-off by luck, where there is a test.
/// </summary>
internal sealed record ExplainedScore(string Block, double Score, double Low, double High, int Samples, double? Probability);

/// <summary>Why a block was pruned, or why it was not. Layers are counted from 1.</summary>
internal sealed record BlockExplanation(
    string Search, int Layer, string Block, string Verdict, int Stage, bool Pruned, IEnumerable<ExplainedScore> Scores)
{
    /// <summary>The explanation in sentences.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Sentences { get; private init; } = [];

    /// <summary>Of a block, by its layer from 0.</summary>
    public static BlockExplanation Of(SearchRecord record, int layer, string block)
    {
        SearchEvent[] events = [.. record.Events.Select(e => (SearchEvent)e.Event)];
        SearchEvent.BlockScored[] scored = [.. events.OfType<SearchEvent.BlockScored>().Where(e => e.Score.Layer == layer)];
        (SearchEvent.BlocksPruned Event, Removal Removal)? removal = events.OfType<SearchEvent.BlocksPruned>()
            .SelectMany(e => e.Removed.Where(r => r.Layer == layer && r.Block == block)
                .Select(r => ((SearchEvent.BlocksPruned, Removal)?)(e, r))).FirstOrDefault();
        int stage = removal?.Event.Stage ?? scored.Select(s => s.Stage).DefaultIfEmpty(0).Max();
        Dictionary<string, BlockTest> tests = record.State.Config!.Prune.When == PruneWhen.Sure ? Tests(events, stage, layer) : [];
        ExplainedScore[] scores = [.. scored.Where(s => s.Stage == stage).Select(s => s.Score).OrderByDescending(s => s.Score).Select(
            s => new ExplainedScore(s.Block, s.Score, s.Low, s.High, s.Samples, tests.GetValueOrDefault(s.Block)?.Probability))];
        string verdict = removal is { Removal: var r }
            ? Invariant($"pruned at the end of stage {stage}: score {r.Score:0.######} below the cut-off {r.Cut:0.######}; {r.Reason}")
            : record.State.Alive!.Layers[layer].Contains(block) ? "not pruned: still a candidate" : "not in the search";
        BlockExplanation found = new(record.Id, layer + 1, block, verdict, stage, removal is not null, scores);
        return found with { Sentences = [.. found.Said(record, events, removal?.Event.Rule)] };
    }

    private IEnumerable<string> Said(SearchRecord record, SearchEvent[] events, string? rule)
    {
        yield return Invariant($"L{Layer:00}/{Block}: {Verdict}");
        if (rule is not null)
        {
            SearchEvent.StageOpened opened = events.OfType<SearchEvent.StageOpened>().First(e => e.Plan.Index == Stage);
            string classes = string.Join(", ", opened.Plan.Classes.Select(c => record.State.Started!.Data.Classes[c]));
            yield return $"classes in that stage: {classes}; rule '{rule}'";
        }

        if (!Scores.Any())
            yield break;
        yield return Invariant($"scores in its layer after stage {Stage} (mean, {record.State.Config!.Evidence.Confidence:P0} " +
            $"interval, samples):");
        foreach (ExplainedScore s in Scores)
        {
            string chance = s.Probability is { } p ? Invariant($"  p (below the cut-off by chance): {p:0.####}") : string.Empty;
            yield return Invariant($"  {(s.Block == Block ? '>' : ' ')} {s.Block,-10} {s.Score:0.######}  [{s.Low:0.######}, " +
                $"{s.High:0.######}]  n={s.Samples}{chance}");
        }
    }

    /// <summary>The tests of a layer's blocks at a stage's last look, where it pruned when sure.</summary>
    private static Dictionary<string, BlockTest> Tests(SearchEvent[] events, int stage, int layer) =>
        events.OfType<SearchEvent.BlocksTested>().LastOrDefault(t => t.Stage == stage) is { } tested
            && events.OfType<SearchEvent.StageOpened>().Last(s => s.Plan.Index == stage) is { Plan.PrunesAtEnd: true } opened
            && tested.Tests[layer].Count == opened.Alive.Layers[layer].Count
            ? opened.Alive.Layers[layer].Zip(tested.Tests[layer], KeyValuePair.Create).ToDictionary(StringComparer.Ordinal)
            : [];
}
