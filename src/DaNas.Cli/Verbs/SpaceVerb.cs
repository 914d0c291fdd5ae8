using System.CommandLine;
using System.Text;
using System.Text.Json;
using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Evidence;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Experiments;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Runtime.Trainers;

namespace DaNas.Cli.Verbs;

/// <summary>space probe: whether a search space and a recipe have anything to find, before a search is paid for.</summary>
internal static class SpaceVerb
{
    private static readonly JsonSerializerOptions Indented = new(DomainJson.Stored) { WriteIndented = true };

    public static Command Space()
    {
        Argument<string> conf = Shared.Conf();
        Option<int> count = Shared.Option("--count", 12, "Number of architectures to train, at least 5.");
        Option<int> seeds =
            Shared.Option("--seeds", 2, "Training runs per architecture, at least 2; the differences between them are the noise.");
        Option<bool> any = Shared.Option<bool>("--any-cost", "Samples from the whole search space; by default, only from the " +
            "architectures within controls.tolerance of the budget, which are the ones that a verdict has to distinguish.");
        Option<bool> all =
            new("--all")
            {
                Description = "Trains all architectures of the space, or all within controls.tolerance of the budget (at most " +
                "1,000), to create a ground-truth table."
            };
        Option<string> split = Shared.Option("--split", "validation", "validation: does not read the test split, for use before a " +
            "search. test: trains on all training images and measures on the test split, for a table against which searches are judged.");
        split.AcceptOnlyFromAmong("validation", "test");
        Option<string?> to = Shared.Option<string?>("--to", "Also writes the table, as JSON, to this file.");
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command probe =
            new("probe", "Trains a few architectures twice, measures them on held-out images, and reports whether they differ by more " +
                "than chance. After an interruption, the same command resumes.") { conf, count, seeds, any, all, split, to,
            set, data, output, json };
        probe.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<ProbeReport>("space-probe", DomainJson.Stored))
                return ExitCode.Done;
            if (parsed.GetValue(count) < 5 || parsed.GetValue(seeds) < 2)
                throw new UsageException("a probe requires --count of 5 or more and --seeds of 2 or more");
            OutputFolder folder = Shared.Folder(parsed, output);
            string[] sets = [.. parsed.GetValue(set) ?? []];
            SearchConfig config = ConfigLoader.Load(parsed.GetValue(conf)!, sets, parsed.GetValue(data));
            if (config.Engine.Kind is not EngineKind.Torch)
                throw new UsageException($"{parsed.GetValue(conf)}: engine.kind = {ConfigSection.Kebab(config.Engine.Kind.ToString())} " +
                    $"trains nothing; a probe needs engine.kind = torch");
            folder.Create();
            SearchSpace space = config.SpaceFor(Engines.Describe(config).Classes.Count);
            (Architecture[] table, double band) = SpaceProbe.Table(space, config,
                new(parsed.GetValue(count), parsed.GetValue(all), parsed.GetValue(any)));
            string name = $"probe-{config.Search.Name}";
            SearchConfig training = ConfigLoader.Load(parsed.GetValue(conf)!, [.. sets, .. TruthTraining.Sets(name, table), Invariant(
                $"retrain.seeds={parsed.GetValue(seeds)}"), $"retrain.measure-on={parsed.GetValue(split)}"], parsed.GetValue(data));
            (SearchRecord? done, int code) = await TruthTraining.RunAsync(
                new SearchesHere(), folder, TruthTraining.IdOf(name, table.Length, training), training);
            if (done is null)
                return code;
            ProbeReport report = SpaceProbe.Report(config.Search.Name, band, space, table, done);
            string file = Path.GetFullPath(parsed.GetValue(to) ?? Path.Combine(folder.SearchFolder(done.Id), "probe.json"));
            await File.WriteAllTextAsync(file, JsonSchemas.File("space-probe", report, Indented) + "\n", new UTF8Encoding(false));
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSchemas.Text("space-probe", report, DomainJson.Stored));
            else
                Print(report, file);
            return ExitCode.Done;
        }));
        return new Command("space", "Examines a search space before a search.") { probe };
    }

    private static void Print(ProbeReport r, string file)
    {
        Output.PrintTable(
            ["architecture", "MACs", "parameters", $"{r.Split} accuracy", "mean"],
            r.Rows.OrderByDescending(x => x.Mean).Select(x => (IReadOnlyList<string>)[x.Architecture, Invariant($"{x.Macs:N0}"), Invariant(
                $"{x.Parameters:N0}"), string.Join(", ", x.Alone.Select(a => Invariant($"{a:0.0000}"))), Invariant($"{x.Mean:0.0000}")]));
        foreach (string sentence in SpaceProbe.Sentences(r))
            Output.PrintText(sentence);
        Output.PrintText($"intervals: 95 %, bootstrap over architectures; full report in {file}");
    }
}
