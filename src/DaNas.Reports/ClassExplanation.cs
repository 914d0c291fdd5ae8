using System.Text.Json.Serialization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>
/// A class: its difficulty, its place from easy to hard, the stage that it entered in, its held-out accuracy at every point of every proxy.
/// </summary>
internal sealed record ClassExplanation(
    string Search, string Class, double Difficulty, int Place, int Classes, string Stage, double[][] Accuracies, DifficultyVerdict? Verdict)
{
    /// <summary>The explanation in sentences.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Sentences { get; private init; } = [];

    /// <summary>Of a class by its index. Throws <see cref="UsageException"/> where difficulty was not measured.</summary>
    public static ClassExplanation Of(SearchRecord record, int index)
    {
        SearchState state = record.State;
        string name = state.Started!.Data.Classes[index];
        if (state.Difficulty is not { Values.Count: > 0 } difficulty)
            throw new UsageException($"{name}: search {record.Id} has not measured class difficulty" +
                (state.Phase is SearchPhase.MeasuringDifficulty ? " yet" : " (curriculum.order)"));
        int place = difficulty.EasyToHard.TakeWhile(c => c != index).Count() + 1;
        StagePlan? entered = state.Plan!.Stages.FirstOrDefault(s => s.Classes.Contains(index));
        string stage = entered is { IsWarmup: true } ? "the warm-up" : Invariant($"stage {entered?.Index}");
        // A point whose blob was lost was measured again.
        double[][] curves = [.. record.Events.Select(e => e.Event).OfType<SearchEvent.ProxyMeasured>().GroupBy(p => p.ProxySeed)
            .OrderBy(g => g.Key).Select(g => g.GroupBy(p => p.Point).OrderBy(p => p.Key).Select(p => p.Last().Accuracy[index]).ToArray())];
        ClassExplanation found = new(
            record.Id, name, difficulty.Values[index], place, difficulty.Values.Count, stage, curves, state.DifficultyVerdict);
        return found with { Sentences = [.. found.Said(ConfigSection.Kebab(state.Config!.Difficulty.Measure.ToString()))] };
    }

    private IEnumerable<string> Said(string measure)
    {
        yield return Invariant($"{Class}: difficulty {Difficulty:0.####} ({measure}), rank {Place} of {Classes} from " +
            $"easy to hard; used in " +
            $"the search from {Stage} onwards");
        foreach ((double[] curve, int seed) in Accuracies.Select((c, i) => (c, i)))
            yield return Invariant($"  proxy {seed + 1}: held-out accuracy " +
                $"{string.Join(", ", curve.Select(a => Invariant($"{a:0.000}")))}");
        if (Verdict is { } verdict)
            yield return $"{verdict}{(verdict.IsOrder ? string.Empty : "; the search continued with random images of all classes")}";
    }
}
