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
        Option<int> count = new("--count") { DefaultValueFactory = _ => 20, Description = "Architectures in the truth table, at least 5 (20 and more say something)." };
        Option<int> seeds = new("--seeds") { DefaultValueFactory = _ => 2, Description = "Trainings of each; two give the ceiling." };
        Option<double> share = new("--short") { DefaultValueFactory = _ => 0.25, Description = "Share of the epochs of the short recipe, for the setting gap; 0: none." };
        Option<string?> truth = new("--truth") { Description = "A table that 'danas space probe --to FILE' wrote, instead of trainings: without --count, --seeds, --short and --set. The report is gap-given.json then." };
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("gap", "Measures the gaps of a finished search: rank correlation of the supernet with stand-alone accuracy, its ceiling, discretisation, setting.") { id, count, seeds, share, truth, set, data, output, json };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<GapReport>("gap", Domain.Values.DomainJson.Stored))
                return ExitCode.Done;
            if (parsed.GetValue(count) < 5 || parsed.GetValue(seeds) < 2 || parsed.GetValue(share) is < 0 or >= 1)
                throw new UsageException("gap needs --count 5 or more, --seeds 2 or more, and --short from 0 to under 1");
            if (parsed.GetValue(truth) is not null && (parsed.GetResult(count) is { Implicit: false } || parsed.GetResult(seeds) is { Implicit: false } || parsed.GetResult(share) is { Implicit: false } || parsed.GetValue(set) is { Length: > 0 }))
                throw new UsageException("--truth trains nothing: leave --count, --seeds, --short and --set out");
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            GapRequest request = new(parsed.GetValue(count), parsed.GetValue(seeds), parsed.GetValue(share), parsed.GetValue(data), parsed.GetValue(set) ?? []) { Truth = parsed.GetValue(truth) is { } given ? Path.GetFullPath(given) : null };
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
            ["architecture", "multiply-adds", "supernet", "alone", "alone, short"],
            r.Rows.OrderByDescending(x => x.Truth).Select(x => (IReadOnlyList<string>)[x.Architecture, Output.Text($"{x.Macs:N0}"), Output.Text($"{x.Supernet:0.0000}"), string.Join(", ", x.Alone.Select(a => Output.Text($"{a:0.0000}"))), x.ShortAlone is { } s ? Output.Text($"{s:0.0000}") : "-"]));
        Output.PrintText(Output.Text($"ceiling: two seeds of the same trainings order the {r.Architectures} architectures with tau {r.Ceiling.Text}"));
        if (!r.HasSignal)
            Output.PrintText(Output.Text($"under {GapReport.LeastCeiling}: there is hardly a signal to rank at this training length, for any predictor; train longer, or on more data"));
        Line($"training gap, Kendall tau-b of supernet and stand-alone (ceiling {Output.Text($"{r.Ceiling.Value:0.00}")})", r.Tau);
        Line("  Spearman", r.Spearman);
        Line("  Pearson", r.Pearson);
        foreach (TrivialPredictor t in r.Trivial)
            Line($"  {t.Name} instead of the supernet, tau-b", t.Tau);
        Output.PrintText(Output.Text($"level: stand-alone less supernet {r.LevelGap:0.000}; shares of the best found among the supernet's best: {string.Join(", ", r.TopOverlap.Select(o => Output.Text($"top {o.Key} {o.Value.Text}")))}"));
        Output.PrintText(Output.Text($"regret of the supernet's first choice {r.RegretAtOne.Value:0.000} [{r.RegretAtOne.Low:0.000}, {r.RegretAtOne.High:0.000}], {string.Concat(r.Trivial.Select(t => Output.Text($"of {t.Name} {t.Regret.Value:0.000}, ")))}of a random pick {r.RegretOfRandomPick:0.000}"));
        Output.PrintText(Output.Text($"discretisation gap: mixed supernet {r.MixedAccuracy:0.000}, sampled paths {r.SampledAccuracy:0.000}, derived path {r.DerivedAccuracy:0.000} (gap {r.Discretisation?.Text ?? "-"} on {r.HeldOutImages:N0} pictures); mean entropy of a layer {r.MeanEntropy:0.00}"));
        Line("setting gap, tau-b of the short recipe and the whole one", r.TauOfSetting);
        if (r.WinnerOverRandom is { } over)
            Output.PrintText(Output.Text($"the search's winner less random architectures of equal cost: {over:+0.0000;-0.0000}"));
        Output.PrintText($"intervals: 95 %, bootstrap over architectures; all in {file}");
    }

    private static void Line(string what, WithInterval? value)
    {
        if (value is not null)
            Output.PrintText($"{what}: {value.Text}");
    }
}
