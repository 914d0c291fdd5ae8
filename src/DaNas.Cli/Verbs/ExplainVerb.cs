using System.CommandLine;
using System.Globalization;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>Why a block was pruned, or why it was not; why a class stands where it stands in the order.</summary>
internal static class ExplainVerb
{
    public static Command Explain()
    {
        Argument<string> id = Shared.Id();
        Argument<string> block = new("LAYER/BLOCK|CLASS") { Description = "A block, such as L03/k5e6 or 3/k5e6; or a class of the data set." };
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("explain", "Tells why a block was pruned (its score and interval, the rule, the scores beside it), or how difficult a class was found.") { id, block, output, json };
        command.SetAction(parsed => Shared.Guard(() => Run(SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!), parsed.GetValue(block)!, parsed.GetValue(json))));
        return command;
    }

    private static int Run(SearchRecord record, string text, bool json)
    {
        int named = record.State.Started!.Data.Classes.TakeWhile(c => c != text).Count();
        if (named < record.State.Started.Data.Classes.Count)
            return Class(record, named, json);
        (int layer, string block) = Parse(record, text);
        IReadOnlyList<SearchEvent> events = [.. record.Events.Select(e => (SearchEvent)e.Event)];
        var scores = events.OfType<SearchEvent.BlockScored>().Where(e => e.Score.Layer == layer).ToList();
        (SearchEvent.BlocksPruned Event, Removal Removal)? removal = events.OfType<SearchEvent.BlocksPruned>()
            .SelectMany(e => e.Removed.Where(r => r.Layer == layer && r.Block == block).Select(r => ((SearchEvent.BlocksPruned, Removal)?)(e, r))).FirstOrDefault();
        int stage = removal?.Event.Stage ?? scores.Select(s => s.Stage).DefaultIfEmpty(0).Max();
        BlockScore[] beside = [.. scores.Where(s => s.Stage == stage).Select(s => s.Score).OrderByDescending(s => s.Score)];
        Dictionary<string, BlockTest> tests = record.State.Config!.Prune.When == PruneWhen.Sure ? Tests(events, stage, layer) : [];
        string verdict = removal is { } r1
            ? Output.Text($"pruned at the end of stage {stage}: score {r1.Removal.Score:0.######} under the cut {r1.Removal.Cut:0.######}; {r1.Removal.Reason}")
            : record.State.Alive!.Layers[layer].Contains(block) ? "alive: never pruned" : "not in the search";
        if (json)
        {
            Output.PrintJson("explain-block", new { search = record.Id, layer = layer + 1, block, verdict, stage, pruned = removal is not null, scores = beside.Select(s => new { s.Block, s.Score, s.Low, s.High, s.Samples, tests.GetValueOrDefault(s.Block)?.Probability }) });
            return ExitCode.Done;
        }

        Output.PrintText($"L{layer + 1:00}/{block}: {verdict}");
        if (removal is { } r2)
        {
            SearchEvent.StageOpened opened = events.OfType<SearchEvent.StageOpened>().First(e => e.Plan.Index == stage);
            Output.PrintText($"that stage saw the classes {string.Join(", ", opened.Plan.Classes.Select(c => record.State.Started!.Data.Classes[c]))}; rule '{r2.Event.Rule}'");
        }

        if (beside.Length > 0)
        {
            Output.PrintText(Output.Text($"scores in its layer after stage {stage} (mean, {record.State.Config!.Evidence.Confidence:P0} interval, samples):"));
            foreach (BlockScore s in beside)
                Output.PrintText(Output.Text($"  {(s.Block == block ? '>' : ' ')} {s.Block,-10} {s.Score:0.######}  [{s.Low:0.######}, {s.High:0.######}]  n={s.Samples}{(tests.GetValueOrDefault(s.Block) is { } t ? Output.Text($"  under the cut by chance: {t.Probability:0.####}") : string.Empty)}"));
        }

        return ExitCode.Done;
    }

    /// <summary>The tests of a layer's blocks at a stage's last look, where it pruned when sure.</summary>
    private static Dictionary<string, BlockTest> Tests(IReadOnlyList<SearchEvent> events, int stage, int layer) =>
        events.OfType<SearchEvent.BlocksTested>().LastOrDefault(t => t.Stage == stage) is { } tested && events.OfType<SearchEvent.StageOpened>().Last(s => s.Plan.Index == stage) is { Plan.PrunesAtEnd: true } opened && tested.Tests[layer].Count == opened.Alive.Layers[layer].Count
            ? opened.Alive.Layers[layer].Zip(tested.Tests[layer], KeyValuePair.Create).ToDictionary(StringComparer.Ordinal)
            : [];

    /// <summary>A class: its difficulty, its place, the stage that it entered in, its held-out accuracy at every point of every proxy.</summary>
    private static int Class(SearchRecord record, int index, bool json)
    {
        SearchState state = record.State;
        string name = state.Started!.Data.Classes[index];
        if (state.Difficulty is not { Values.Count: > 0 } difficulty)
            throw new UsageException($"{name}: search {record.Id} measured no difficulty{(state.Phase is SearchPhase.MeasuringDifficulty ? " yet" : " (curriculum.order)")}");
        int place = difficulty.EasyToHard.TakeWhile(c => c != index).Count() + 1;
        Domain.Stages.StagePlan? entered = state.Plan!.Stages.FirstOrDefault(s => s.Classes.Contains(index));
        string stage = entered is { IsWarmup: true } ? "the warm-up" : Output.Text($"stage {entered?.Index}");
        double[][] curves = [.. record.Events.Select(e => e.Event).OfType<SearchEvent.ProxyMeasured>().GroupBy(p => p.ProxySeed).OrderBy(g => g.Key).Select(g => g.GroupBy(p => p.Point).OrderBy(p => p.Key).Select(p => p.Last().Accuracy[index]).ToArray())]; // A point whose blob was lost was measured again.
        if (json)
        {
            Output.PrintJson("explain-class", new { search = record.Id, @class = name, difficulty = difficulty.Values[index], place, classes = difficulty.Values.Count, stage, accuracies = curves, verdict = state.DifficultyVerdict });
            return ExitCode.Done;
        }

        Output.PrintText(Output.Text($"{name}: difficulty {difficulty.Values[index]:0.####} ({ConfigSection.Kebab(state.Config!.Difficulty.Measure.ToString())}), place {place} of {difficulty.Values.Count} from easy to hard; in the search from {stage} on"));
        foreach ((double[] curve, int seed) in curves.Select((c, i) => (c, i)))
            Output.PrintText(Output.Text($"  proxy {seed + 1}: held-out accuracy {string.Join(", ", curve.Select(a => Output.Text($"{a:0.000}")))}"));
        if (state.DifficultyVerdict is { } verdict)
            Output.PrintText($"{verdict}{(verdict.IsOrder ? string.Empty : "; the search went on with random pictures of all classes")}");
        return ExitCode.Done;
    }

    private static (int Layer, string Block) Parse(SearchRecord record, string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length == 2 && int.TryParse(parts[0].TrimStart('L', 'l'), CultureInfo.InvariantCulture, out int layer) && layer >= 1 && layer <= record.State.Space!.Layers.Count)
        {
            if (record.State.Space.Layers[layer - 1].Candidates.Any(c => c.Name == parts[1]))
                return (layer - 1, parts[1]);
            throw new UsageException($"{text}: layer {layer} has no block '{parts[1]}'; it has {string.Join(", ", record.State.Space.Layers[layer - 1].Candidates)}");
        }

        if (parts.Length == 1)
            throw new UsageException($"{text}: the data set has no such class; it has {string.Join(", ", record.State.Started!.Data.Classes.Take(20))}{(record.State.Started.Data.Classes.Count > 20 ? ", ..." : string.Empty)}. For a block write LAYER/BLOCK, such as L03/k5e6");
        throw new UsageException($"{text}: write LAYER/BLOCK, such as L03/k5e6; layers are 1 to {record.State.Space!.Layers.Count}");
    }
}
