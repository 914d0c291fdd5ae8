using System.CommandLine;
using System.Globalization;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>Why a block was pruned, or why it was not.</summary>
internal static class ExplainVerb
{
    public static Command Explain()
    {
        Argument<string> id = Shared.Id();
        Argument<string> block = new("LAYER/BLOCK") { Description = "Such as L03/k5e6 or 3/k5e6." };
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("explain", "Tells why a block was pruned: its score and interval, the rule, the scores beside it.") { id, block, output, json };
        command.SetAction(parsed => Shared.Guard(() => Run(SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!), parsed.GetValue(block)!, parsed.GetValue(json))));
        return command;
    }

    private static int Run(SearchRecord record, string text, bool json)
    {
        (int layer, string block) = Parse(record, text);
        IReadOnlyList<SearchEvent> events = [.. record.Events.Select(e => (SearchEvent)e.Event)];
        var scores = events.OfType<SearchEvent.BlockScored>().Where(e => e.Score.Layer == layer).ToList();
        (SearchEvent.BlocksPruned Event, Removal Removal)? removal = events.OfType<SearchEvent.BlocksPruned>()
            .SelectMany(e => e.Removed.Where(r => r.Layer == layer && r.Block == block).Select(r => ((SearchEvent.BlocksPruned, Removal)?)(e, r))).FirstOrDefault();
        int stage = removal?.Event.Stage ?? scores.Select(s => s.Stage).DefaultIfEmpty(0).Max();
        BlockScore[] beside = [.. scores.Where(s => s.Stage == stage).Select(s => s.Score).OrderByDescending(s => s.Score)];
        string verdict = removal is { } r1
            ? Output.Text($"pruned at the end of stage {stage}: score {r1.Removal.Score:0.######} under the cut {r1.Removal.Cut:0.######}; {r1.Removal.Reason}")
            : record.State.Alive!.Layers[layer].Contains(block) ? "alive: never pruned" : "not in the search";
        if (json)
        {
            Output.PrintJson(new { search = record.Id, layer = layer + 1, block, verdict, stage, pruned = removal is not null, scores = beside.Select(s => new { s.Block, s.Score, s.Low, s.High, s.Samples }) });
            return ExitCode.Done;
        }

        Console.WriteLine($"L{layer + 1:00}/{block}: {verdict}");
        if (removal is { } r2)
        {
            SearchEvent.StageOpened opened = events.OfType<SearchEvent.StageOpened>().First(e => e.Plan.Index == stage);
            Console.WriteLine($"that stage saw the classes {string.Join(", ", opened.Plan.Classes.Select(c => record.State.Started!.Data.Classes[c]))}; rule '{r2.Event.Rule}'");
        }

        if (beside.Length > 0)
        {
            Console.WriteLine(Output.Text($"scores in its layer after stage {stage} (mean, {record.State.Config!.Evidence.Confidence:P0} interval, samples):"));
            foreach (BlockScore s in beside)
                Console.WriteLine(Output.Text($"  {(s.Block == block ? '>' : ' ')} {s.Block,-10} {s.Score:0.######}  [{s.Low:0.######}, {s.High:0.######}]  n={s.Samples}"));
        }

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

        throw new UsageException($"{text}: write LAYER/BLOCK, such as L03/k5e6; layers are 1 to {record.State.Space!.Layers.Count}");
    }
}
