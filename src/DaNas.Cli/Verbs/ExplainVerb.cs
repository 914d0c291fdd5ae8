using System.CommandLine;
using System.Globalization;
using DaNas.Cli.Presentation;
using DaNas.Reports;
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
        Argument<string> block = Shared.Argument<string>("LAYER/BLOCK|CLASS",
            "A block, for example L03/k5e6 or 3/k5e6, or a class of the data set.");
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("explain", "Explains why a block was pruned (its score and interval, the rule, and the other scores in its " +
            "layer), or how difficult a class was found to be.") { id, block, output, json };
        command.SetAction(parsed => Shared.Guard(() => Run(SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!),
            parsed.GetValue(block)!, parsed.GetValue(json))));
        return command;
    }

    private static int Run(SearchRecord record, string text, bool json)
    {
        int named = record.State.Started!.Data.Classes.TakeWhile(c => c != text).Count();
        if (named < record.State.Started.Data.Classes.Count)
        {
            ClassExplanation @class = ClassExplanation.Of(record, named);
            if (json)
                Output.PrintJson("explain-class", @class);
            return json ? ExitCode.Done : Print(@class.Sentences);
        }

        (int layer, string name) = Parse(record, text);
        BlockExplanation block = BlockExplanation.Of(record, layer, name);
        if (json)
            Output.PrintJson("explain-block", block);
        return json ? ExitCode.Done : Print(block.Sentences);
    }

    private static int Print(IEnumerable<string> sentences)
    {
        foreach (string sentence in sentences)
            Output.PrintText(sentence);
        return ExitCode.Done;
    }

    private static (int Layer, string Block) Parse(SearchRecord record, string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length == 2 && int.TryParse(parts[0].TrimStart('L', 'l'), CultureInfo.InvariantCulture, out int layer) && layer >= 1
            && layer <= record.State.Space!.Layers.Count)
        {
            if (record.State.Space.Layers[layer - 1].Candidates.Any(c => c.Name == parts[1]))
                return (layer - 1, parts[1]);
            throw new UsageException($"{text}: layer {layer} has no block '{parts[1]}'; its blocks are " +
                $"{string.Join(", ", record.State.Space.Layers[layer - 1].Candidates)}");
        }

        if (parts.Length == 1)
            throw new UsageException($"{text}: the data set has no such class; its classes are " +
                $"{string.Join(", ", record.State.Started!.Data.Classes.Take(20))}" +
                $"{(record.State.Started.Data.Classes.Count > 20 ? ", ..." : string.Empty)}. To name a block, write " +
                $"LAYER/BLOCK, for example L03/k5e6");
        throw new UsageException($"{text}: write LAYER/BLOCK, for example L03/k5e6; layers are numbered 1 to " +
            $"{record.State.Space!.Layers.Count}");
    }
}
