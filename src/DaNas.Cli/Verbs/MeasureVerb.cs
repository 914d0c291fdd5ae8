using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch;

namespace DaNas.Cli.Verbs;

/// <summary>measure and import-latency: latency that was measured, with a check whether it can be repeated, and tables of blocks to predict it from.</summary>
internal static class MeasureVerb
{
    private static string On(string device) => device is "this" or "cpu" ? "cpu" : device == "cuda" || device.StartsWith("cuda:", StringComparison.Ordinal) ? device : throw new UsageException($"--device {device}: write this, cpu, cuda or cuda:N");

    public static Command Measure()
    {
        Argument<string[]> architectures = new("ARCH") { Arity = ArgumentArity.ZeroOrMore, Description = "Architectures as text, such as cpu-base/k3e6.k5e3...; ids of searches: their retrained models, for the report." };
        Option<string> conf = new("--conf") { DefaultValueFactory = _ => "cpu-base", Description = "The configuration, or the shipped space, that they belong to." };
        Option<int> classes = new("--classes") { DefaultValueFactory = _ => 10, Description = "Classes of the classifier." };
        Option<int> random = new("--random") { Description = "Also so many random architectures of the space." };
        Option<bool> table = new("--table") { Description = "Also measures every block by itself, and predicts each architecture as the sum of its blocks." };
        Option<string?> to = new("--to") { Description = "With --table: writes the table to FILE, for cost.latency { include \"FILE\" }." };
        Option<bool> accept = new("--accept") { Description = "Writes the table although two passes over the blocks disagree; the table says how much." };
        Option<string> device = new("--device") { DefaultValueFactory = _ => "this", Description = "this (the CPU), cpu, cuda or cuda:N." };
        Option<int> threads = new("--threads") { DefaultValueFactory = _ => 1, Description = "Threads of libtorch." };
        Option<int> batch = new("--batch") { DefaultValueFactory = _ => 1, Description = "Pictures a pass." };
        Option<int> repeats = new("--repeats") { DefaultValueFactory = _ => 40, Description = "Timed passes of each, in each of two rounds; more where the rounds disagree." };
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("measure", "Measures the latency of architectures on this machine, twice, and tells whether the two agree.") { architectures, conf, classes, random, table, to, accept, device, threads, batch, repeats, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            if (JsonSchemas.Printed<LatencyReport>("measure", Output.Json))
                return ExitCode.Done;
            OutputFolder folder = Shared.Folder(parsed, output);
            string[] named = parsed.GetValue(architectures)!;
            SearchRecord[] searches = [.. named.Where(n => !n.Contains('/', StringComparison.Ordinal)).Select(n => SearchRecord.Load(folder, n))];
            SearchSpace space = Buildable(searches.Length > 0 ? searches[0].State.Space! : LatencyFiles.SpaceOf(parsed.GetValue(conf)!, parsed.GetValue(classes)));
            Architecture[] wanted = [.. named.Where(n => n.Contains('/', StringComparison.Ordinal)).Select(text => Find(space, text)).Concat(searches.SelectMany(s => Models(space, s))).Concat(Random(space, parsed.GetValue(random))).Distinct()];
            bool blocks = parsed.GetValue(table) || parsed.GetValue(to) is not null;
            if (wanted.Length == 0 && !blocks)
                throw new UsageException("name an architecture or a search, draw some (danas measure --random 20), or measure the blocks (--table)");
            string on = On(parsed.GetValue(device)!);
            if (parsed.GetValue(batch) is < 1 or > 65_536 || parsed.GetValue(threads) is < 1 or > 256 || parsed.GetValue(random) < 0 || parsed.GetValue(classes) < 2)
                throw new UsageException("measure takes --batch and --threads of 1 and more, --random of 0 and more, --classes of 2 and more");
            TorchBinding.Prepare(parsed.GetValue(threads));
            LatencySetup setup = new(parsed.GetValue(batch), 5, Math.Max(8, parsed.GetValue(repeats)), on, true);
            BlockTable? measured = blocks ? BlockTable.Measure(space, setup) : null;
            if (measured is { IsRepeatable: false } && !parsed.GetValue(accept))
            {
                Console.Error.WriteLine(Output.Text($"two passes over the blocks order them with Kendall tau {measured.Tau:0.000} only (under {LatencyReport.Believed}): no table is written; quieten the machine, raise --repeats, or take it as it is with --accept"));
                return ExitCode.Failed;
            }

            if (parsed.GetValue(to) is { } file)
            {
                Output.PrintRemark(LatencyFiles.Write(file, space, new($"{EngineSession.ProfileOf(on, parsed.GetValue(threads))}, batch {Output.Text($"{setup.Batch}")}", Output.Text($"danas measure; two passes agree with tau {measured!.Tau:0.00}")), measured.Fixed, (l, b) => measured.Blocks[l.Index][b.Name]));
                Console.Error.WriteLine($"table of {space.Name}: {Path.GetFullPath(file)}");
            }

            if (wanted.Length == 0)
                return ExitCode.Done;
            Console.Error.WriteLine(Output.Text($"measuring {wanted.Length} architectures, twice {setup.Repeats} passes each"));
            LatencyReport report = LatencyReport.Of(space, wanted, setup, measured is null ? null : measured.Of, Console.Error.WriteLine);
            LatencyNotes notes = new($"{EngineSession.ProfileOf(on, parsed.GetValue(threads))}, batch {Output.Text($"{setup.Batch}")}", [.. report.Rows.Select(r => new LatencyNote(r.Architecture, Math.Round((r.First.Median + r.Second.Median) / 2, 4), r.Predicted is { } p ? Math.Round(p, 4) : null))]);
            foreach (SearchRecord search in report.IsRepeatable ? searches : [])
                SearchNotes.Write(folder, search.Id, notes);
            if (parsed.GetValue(json))
                Output.PrintJson("measure", report);
            else
                Print(report, parsed.GetValue(threads), setup);
            return report.IsRepeatable ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static SearchSpace Buildable(SearchSpace space) => space.Options is null
        ? space
        : throw new UsageException($"{space.Name} is the space of a table: its networks cannot be built, so nothing can be timed");

    public static Command Import()
    {
        Argument<string> source = new("FILE") { Description = "A published table: HW-NAS-Bench's FBNet blocks, or ProxylessNAS's Pixel table (JSON)." };
        Option<string> conf = new("--conf") { DefaultValueFactory = _ => "proxylessnas", Description = "The space: proxylessnas, fbnet-cifar100, or one of the same shapes." };
        Option<string> device = new("--device") { DefaultValueFactory = _ => "raspi4", Description = "Of HW-NAS-Bench: raspi4, pixel3, eyeriss, fpga." };
        Option<string> to = new("--to") { Required = true, Description = "The table, for cost.latency { include \"FILE\" }." };
        Command command = new("import-latency", "Turns a published latency table into one that a search can be bound by.") { source, conf, device, to };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string target = parsed.GetValue(to)!;
            if (!File.Exists(parsed.GetValue(source)!))
                throw new UsageException($"{parsed.GetValue(source)} does not exist; name a JSON file of HW-NAS-Bench (FBNet's blocks) or of ProxylessNAS (its Pixel table)");
            SearchSpace space = LatencyFiles.SpaceOf(parsed.GetValue(conf)!, 1000);
            Output.PrintRemark(LatencyFiles.Import(parsed.GetValue(source)!, space, parsed.GetValue(device)!, target));
            Output.PrintText($"{Path.GetFullPath(target)}: latencies of {space.Name}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Architecture Find(SearchSpace space, string text) => Architecture.Parse(space, text)
        ?? throw new UsageException($"'{text}' is no architecture of {space.Name}: write {space.Name}/ and one candidate a layer, with dots between; --conf names another space");

    /// <summary>The retrained models of a search, or the architecture that it has chosen so far.</summary>
    private static IEnumerable<Architecture> Models(SearchSpace space, SearchRecord record)
    {
        if (record.State.Space!.Name != space.Name)
            throw new UsageException($"search {record.Id} is over {record.State.Space.Name}, not {space.Name}; measure it by itself");
        Architecture[] retrained = [.. record.Events.Select(e => e.Event).OfType<SearchEvent.ModelRetrained>().Select(m => m.Architecture).Distinct()];
        return retrained.Length > 0 ? retrained : [record.State.Selected?.Winner ?? throw new UsageException($"search {record.Id} has not chosen an architecture yet")];
    }

    private static IEnumerable<Architecture> Random(SearchSpace space, int count)
    {
        SeededRandom random = new(SeededRandom.Derive(1, "measure"));
        for (int i = 0; i < count; i++)
            yield return new Architecture(space.Name, space.Layers.Select(l => l.Candidates[random.NextInt(l.Candidates.Count)].Name).ToValueList());
    }

    private static void Print(LatencyReport report, int threads, LatencySetup setup)
    {
        Output.PrintTable(
            ["architecture", "multiply-adds", "median ms", "spread", "second pass", "predicted ms"],
            report.Rows.Select(r => (IReadOnlyList<string>)[r.Architecture, Output.Text($"{r.Macs:N0}"), Output.Text($"{r.First.Median:0.000}"), Output.Text($"±{r.First.Spread:P0}"), Output.Text($"{r.Second.Median:0.000}"), r.Predicted is { } p ? Output.Text($"{p:0.000}") : "-"]));
        Output.PrintText(Output.Text($"{setup.Device}, {threads} thread(s), batch {setup.Batch}, {report.Repeats} timed passes in each of two rounds, interleaved"));
        if (report.Rows.Count > 1)
            Output.PrintText(Output.Text($"the two rounds order the architectures alike with Kendall tau {report.TauOfPasses:0.000}: {(report.IsRepeatable ? "repeatable" : Output.Text($"NOT repeatable (under {LatencyReport.Believed}, and medians differ by more than a twentieth); quieten the machine, or raise --repeats, before believing a number"))}; multiply-adds order them with {report.TauOfMacs:0.000}"));
        else if (!report.IsRepeatable)
            Output.PrintText("the two rounds differ by more than a twentieth: NOT repeatable; quieten the machine, or raise --repeats, before believing a number");
        if (report.TauOfPrediction is { } tau && report.Rows.Count > 1)
            Output.PrintText(Output.Text($"sums of blocks order them with {tau:0.000}; mean error {report.MeanErrorOfPrediction:P1} of the measured latency"));
    }
}
