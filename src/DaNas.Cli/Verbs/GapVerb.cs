using System.CommandLine;
using System.Text;
using System.Text.Json;
using DaNas.Cli.Presentation;
using DaNas.Evidence;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Experiments;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>gap: what a search's supernet knows of architectures trained by themselves.</summary>
internal static class GapVerb
{
    private static readonly JsonSerializerOptions Indented = new(Domain.Values.DomainJson.Stored) { WriteIndented = true };

    public static Command Gap()
    {
        Argument<string> id = Shared.Id();
        Option<int> count = Shared.Option("--count", 20, "Number of architectures in the ground-truth table, at least 5 (20 or more " +
            "for meaningful results).");
        Option<int> seeds = Shared.Option("--seeds", 2, "Training runs per architecture; two are needed to measure the ceiling.");
        Option<double> share = Shared.Option<double>("--short", 0.25,
            "Epochs of the short recipe as a fraction of the full recipe, for the setting gap; 0: skip it.");
        Option<string?> truth = Shared.Option<string?>("--truth", "Uses a table written by 'danas space probe --to FILE' instead of " +
            "training; cannot be combined with --count, --seeds, --short or --set. The report is then gap-given.json.");
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command =
            new("gap", "Measures the gaps of a finished search: rank correlation of the supernet with stand-alone accuracy, its ceiling, " +
                "the discretisation gap and the setting gap.") { id, count, seeds, share, truth, set, data, output, json };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<GapReport>("gap", Domain.Values.DomainJson.Stored))
                return ExitCode.Done;
            if (parsed.GetValue(count) < 5 || parsed.GetValue(seeds) < 2 || parsed.GetValue(share) is < 0 or >= 1)
                throw new UsageException("gap requires --count of 5 or more, --seeds of 2 or more, and --short from 0 to less than 1");
            if (parsed.GetValue(truth) is not null && (parsed.GetResult(count) is { Implicit: false } || parsed.GetResult(
                seeds) is { Implicit: false } || parsed.GetResult(share) is { Implicit: false } || parsed.GetValue(set) is { Length: > 0 }))
                throw new UsageException("--truth trains nothing: omit --count, --seeds, --short and --set");
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            GapRequest request = new(parsed.GetValue(count), parsed.GetValue(seeds), parsed.GetValue(share), parsed.GetValue(data),
                parsed.GetValue(set) ?? [])
            { Truth = parsed.GetValue(truth) is { } given ? Path.GetFullPath(given) : null };
            (GapReport? report, int code) = await new GapRun(new SearchesHere(), folder, record, request).GoAsync();
            if (report is null)
                return code;
            string file = Path.Combine(folder.SearchFolder(record.Id), parsed.GetValue(truth) is null ? "gap.json" : "gap-given.json");
            await File.WriteAllTextAsync(file, JsonSchemas.File("gap", report, Indented) + "\n", new UTF8Encoding(false));
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSchemas.Text("gap", report, Domain.Values.DomainJson.Stored));
            else
                Print(report, file);
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Print(GapReport r, string file)
    {
        Output.PrintTable(
            ["architecture", "MACs", "supernet", "stand-alone", "stand-alone, short"],
            r.Rows.OrderByDescending(x => x.Truth).Select(x => (IReadOnlyList<string>)[x.Architecture, Invariant($"{x.Macs:N0}"),
                Invariant($"{x.Supernet:0.0000}"), string.Join(", ", x.Alone.Select(a => Invariant($"{a:0.0000}"))), x.ShortAlone is { } s
                ? Invariant($"{s:0.0000}") : "-"]));
        foreach (string sentence in GapSentences.Of(r))
            Output.PrintText(sentence);
        Output.PrintText($"intervals: 95 %, bootstrap over architectures; full report in {file}");
    }
}
