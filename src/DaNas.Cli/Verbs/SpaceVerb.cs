using System.CommandLine;
using System.Text;
using System.Text.Json;
using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
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
    /// <summary>Spaces up to here can be trained whole.</summary>
    private const int Largest = 1000;

    private static readonly JsonSerializerOptions Indented = new(DomainJson.Stored) { WriteIndented = true };

    private sealed record Request(int Count, bool All, bool AnyCost);

    public static Command Space()
    {
        Argument<string> conf = Shared.Conf();
        Option<int> count = new("--count") { DefaultValueFactory = _ => 12, Description = "Architectures that are trained, at least 5." };
        Option<int> seeds = new("--seeds") { DefaultValueFactory = _ => 2, Description = "Trainings of each, at least 2: what they differ by is noise." };
        Option<bool> any = new("--any-cost") { Description = "Draws from the whole space; by default from the architectures within controls.tolerance of the budget, among which a verdict has to tell." };
        Option<bool> all = new("--all") { Description = "Trains the whole space, or the whole band of the budget, of at most 1,000 architectures: a truth table." };
        Option<string> split = new("--split") { DefaultValueFactory = _ => "validation", Description = "validation: the test split stays unread, for a look before a search. test: trained on all training images and measured on the test split, for a table that searches are judged by." };
        split.AcceptOnlyFromAmong("validation", "test");
        Option<string?> to = new("--to") { Description = "Also writes the table, as JSON, to this file." };
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command probe = new("probe", "Trains a few architectures twice, measures them on held-out pictures, and says whether they differ by more than chance. Interrupted, the same command goes on.") { conf, count, seeds, any, all, split, to, set, data, output, json };
        probe.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<ProbeReport>("space-probe", DomainJson.Stored))
                return ExitCode.Done;
            if (parsed.GetValue(count) < 5 || parsed.GetValue(seeds) < 2)
                throw new UsageException("a probe needs --count 5 or more and --seeds 2 or more");
            OutputFolder folder = Shared.Folder(parsed, output);
            string[] sets = [.. parsed.GetValue(set) ?? []];
            SearchConfig config = ConfigLoader.Load(parsed.GetValue(conf)!, sets, parsed.GetValue(data));
            if (config.Engine.Kind is not EngineKind.Torch)
                throw new UsageException($"{parsed.GetValue(conf)}: engine.kind = {ConfigSection.Kebab(config.Engine.Kind.ToString())} trains nothing; a probe needs engine.kind = torch");
            folder.Create();
            SearchSpace space = config.SpaceFor(Engines.Describe(config).Classes.Count);
            (Architecture[] table, double band) = Table(space, config, new(parsed.GetValue(count), parsed.GetValue(all), parsed.GetValue(any)));
            string name = $"probe-{config.Search.Name}";
            SearchConfig training = ConfigLoader.Load(parsed.GetValue(conf)!, [.. sets, .. TruthTraining.Sets(name, table), Output.Text($"retrain.seeds={parsed.GetValue(seeds)}"), $"retrain.measure-on={parsed.GetValue(split)}"], parsed.GetValue(data));
            (SearchRecord? done, int code) = await TruthTraining.RunAsync(new SearchesHere(), folder, TruthTraining.IdOf(name, table.Length, training), training);
            if (done is null)
                return code;
            ProbeReport report = Report(config.Search.Name, band, space, table, done);
            string file = Path.GetFullPath(parsed.GetValue(to) ?? Path.Combine(folder.SearchFolder(done.Id), "probe.json"));
            await File.WriteAllTextAsync(file, JsonSchemas.File("space-probe", report, Indented) + "\n", new UTF8Encoding(false));
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSchemas.Text("space-probe", report, DomainJson.Stored));
            else
                Print(report, file);
            return ExitCode.Done;
        }));
        return new Command("space", "What a search space has to offer.") { probe };
    }

    private static (Architecture[] Table, double Band) Table(SearchSpace space, SearchConfig config, Request request)
    {
        // The band that the strategy random draws from, too: it ends at the budget.
        long target = (long)(SearchState.BudgetOf(space, config.Cost) / (1 + config.Controls.Tolerance));
        ArchitectureBand band = request.AnyCost ? new(space, long.MaxValue / 4, 1) : new(space, target, config.Controls.Tolerance);
        double size = request.AnyCost ? space.Size : band.Count;
        if (request.All && size > Largest)
            throw new UsageException(Output.Text($"--all: {size:N0} architectures are more than {Largest:N0}; leave it out, narrow the space, or name a smaller controls.tolerance"));
        int count = request.All ? (int)size : request.Count;
        if (size < 5 || size < count)
            throw new UsageException(request.AnyCost ? Output.Text($"--count {count}: {space.Name} has {size:N0} architectures") : Output.Text($"--count {count}: only {size:N0} architectures of {space.Name} lie within controls.tolerance = {config.Controls.Tolerance} of the budget of {target:N0} multiply-adds; ask for fewer, raise the tolerance, or add --any-cost"));
        ArchitectureBudget budget = ArchitectureBudget.Of(space, config.Cost);
        ValueList<Architecture> drawn = band.Draw(count, SeededRandom.Derive(config.Search.Seed, "probe"), a => !(budget.Latency?.Of(a) > budget.Milliseconds));
        return drawn.Count >= Math.Min(count, 5)
            ? ([.. drawn.OrderBy(a => a.Text, StringComparer.Ordinal)], size)
            : throw new UsageException(Output.Text($"--count {count}: only {drawn.Count} architectures were found under cost.target-milliseconds = {budget.Milliseconds}; raise the bound"));
    }

    private static ProbeReport Report(string name, double band, SearchSpace space, Architecture[] table, SearchRecord done)
    {
        CostTable costs = CostTable.Of(space);
        ProbeRow[] rows = [.. table.Select(a => new ProbeRow(a.Text, costs.Of(a).Macs, costs.Of(a).Parameters, TruthTraining.Results(done, a), TruthTraining.Initial(done, a)))];
        double seconds = done.Events.Select(e => e.Event).OfType<SearchEvent.SegmentCompleted>().Sum(s => s.Timing.Seconds) / rows.Sum(r => r.Alone.Count);
        return ProbeReport.Of(name, band, Math.Round(seconds, 2), rows, done.State.Config!.Search.Seed) with { Data = done.State.Started!.Data.Fingerprint.Hex, Split = done.State.Config!.Retrain.MeasuredName };
    }

    private static void Print(ProbeReport r, string file)
    {
        Output.PrintTable(
            ["architecture", "multiply-adds", "parameters", $"{r.Split} accuracy", "mean"],
            r.Rows.OrderByDescending(x => x.Mean).Select(x => (IReadOnlyList<string>)[x.Architecture, Output.Text($"{x.Macs:N0}"), Output.Text($"{x.Parameters:N0}"), string.Join(", ", x.Alone.Select(a => Output.Text($"{a:0.0000}"))), Output.Text($"{x.Mean:0.0000}")]));
        Output.PrintText(Output.Text($"{r.Rows.Count} of {r.Band:N0} architectures; spread between architectures {100 * r.Spread:0.0} points, noise of one training {100 * r.Noise:0.0}"));
        Output.PrintText($"ceiling: two trainings of the same architectures order them with Kendall tau {r.Ceiling.Text}; a perfect predictor would reach {Output.Text($"{r.PerfectPredictor:0.00}")} with their mean");
        foreach (TrivialPredictor t in r.Trivial)
            Output.PrintText(Output.Text($"  without training, {t.Name}: tau {t.Tau.Text}, regret {100 * t.Regret.Value:0.0} points"));
        if (r.TrainingsNeeded is { } n)
            Output.PrintText(Output.Text($"a ceiling of {ProbeReport.Wanted}: the mean of {n} training{(n == 1 ? string.Empty : "s")} of each, {r.HoursNeeded:0.0} trainer-hours for these {r.Rows.Count} ({r.SecondsPerTraining:0.#} s a training)"));
        Output.PrintText($"verdict: {r.Sentence}");
        Output.PrintText($"intervals: 95 %, bootstrap over architectures; all in {file}");
    }
}
