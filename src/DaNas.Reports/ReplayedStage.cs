using System.Text.Json.Serialization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>What a pruning rule removes by the scores that a stage recorded, beside what was removed then.</summary>
internal sealed record ReplayedStage(
    int Stage, string Rule, double Ratio, IReadOnlyList<string> Removed, IEnumerable<string> OnlyThen, IEnumerable<string> OnlyNow)
{
    /// <summary>The stage in a sentence.</summary>
    [JsonIgnore]
    public string Text { get; private init; } = string.Empty;

    /// <summary>Every stage of a search that pruned.</summary>
    public static IEnumerable<ReplayedStage> Of(SearchRecord record, PruneOptions options) =>
        record.Events.Select(e => e.Event).OfType<SearchEvent.BlocksPruned>().Select(was => Of(record, options, was));

    private static ReplayedStage Of(SearchRecord record, PruneOptions options, SearchEvent.BlocksPruned was)
    {
        AliveBlocks alive = record.Events.Select(e => e.Event).OfType<SearchEvent.StageOpened>().Last(e => e.Plan.Index == was.Stage).Alive;
        ScoreTable scores = ScoreTable.Empty.Merge(
            record.Events.Select(e => e.Event).OfType<SearchEvent.BlockScored>().Where(e => e.Stage == was.Stage)
                .Select(e => e.Score), alive);
        string[] now =
            [.. (options.When == PruneWhen.Sure ? Again(record, was) : PrunePolicy.Decide(scores, alive, options)).Select(Name)];
        string[] then = [.. was.Removed.Select(Name)];
        string rule = ConfigSection.Kebab(options.Rule.ToString());
        return new(was.Stage, rule, options.Ratio, now, then.Except(now), now.Except(then))
        {
            Text = Invariant($"stage {was.Stage}: {rule} {options.Ratio} removes {now.Length} of {alive.Count} ({was.Rule} removed " +
                $"{then.Length}); kept instead: {Or(then.Except(now))}; removed instead: {Or(now.Except(then))}"),
        };
    }

    /// <summary>A pruning decided again on what was known before it.</summary>
    private static ValueList<Removal> Again(SearchRecord record, SearchEvent.BlocksPruned was)
    {
        SearchState before = record.Events.Select(e => (SearchEvent)e.Event).TakeWhile(e => !ReferenceEquals(e, was))
            .Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        return PrunePolicy.Decide(before, (SearchPhase.Scoring)before.Phase);
    }

    private static string Name(Removal r) => Invariant($"L{r.Layer + 1:00}/{r.Block}");

    private static string Or(IEnumerable<string> names) => names.Any() ? string.Join(" ", names) : "none";
}
