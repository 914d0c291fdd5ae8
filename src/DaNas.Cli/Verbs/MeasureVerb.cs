using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.SearchSpaces;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch;

namespace DaNas.Cli.Verbs;

/// <summary>
/// measure and import-latency: latency that was measured, with a check whether it can be repeated, and tables of blocks to predict it from.
/// </summary>
internal static class MeasureVerb
{
    private static readonly Argument<string[]> Architectures = new("ARCH")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description =
        "Architectures as text, for example cpu-base/k3e6.k5e3..., or search IDs, whose retrained models are " +
            "measured for the report."
    };
    private static readonly Option<string> Conf = Shared.Option("--conf", "cpu-base",
        "Configuration or bundled search space that the architectures belong to.");
    private static readonly Option<int> Classes = Shared.Option("--classes", 10, "Number of classes of the classifier.");
    private static readonly Option<int> Random = Shared.Option<int>("--random", "Also measures so many random architectures of the space.");
    private static readonly Option<bool> Table = Shared.Option<bool>("--table",
        "Also measures every block individually and predicts the latency of each architecture as the sum of its blocks.");
    private static readonly Option<string?> To =
        Shared.Option<string?>("--to", "With --table: writes the table to FILE, for cost.latency { include \"FILE\" }.");
    private static readonly Option<bool> Accept = Shared.Option<bool>("--accept",
        "Writes the table even if two passes over the blocks disagree; the table records the extent.");
    private static readonly Option<string> Device = Shared.Option("--device", "this", "this (the CPU), cpu, cuda or cuda:N.");
    private static readonly Option<int> Threads = Shared.Option("--threads", 1, "Number of libtorch threads.");
    private static readonly Option<int> Batch = Shared.Option("--batch", 1, "Images per pass.");
    private static readonly Option<int> Repeats = Shared.Option("--repeats", 40,
        "Timed passes per architecture in each of two rounds; increased if the rounds disagree.");
    private static readonly Option<string?> OutputFolderOption = Shared.Out();
    private static readonly Option<bool> Json = Shared.Json();

    private static string On(string device) => device is "this" or "cpu" ? "cpu" : device == "cuda" || device.StartsWith(
        "cuda:", StringComparison.Ordinal) ? device : throw new UsageException($"--device {device}: use this, cpu, cuda or cuda:N");

    public static Command Measure()
    {
        Command command = new("measure", "Measures the latency of architectures on this machine twice and reports whether the two " +
            "measurements agree.") { Architectures, Conf, Classes, Random, Table, To, Accept, Device, Threads,
            Batch, Repeats, OutputFolderOption, Json };
        command.SetAction(parsed => Shared.Guard(() => Run(parsed)));
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        if (JsonSchemas.Printed<LatencyReport>("measure", Output.Json))
            return ExitCode.Done;
        OutputFolder folder = Shared.Folder(parsed, OutputFolderOption);
        string[] named = parsed.GetValue(Architectures)!;
        SearchRecord[] searches = [.. named.Where(n => !n.Contains('/', StringComparison.Ordinal))
            .Select(n => SearchRecord.Load(folder, n))];
        SearchSpace space = LatencyTargets.Buildable(searches.Length > 0
            ? searches[0].State.Space! : LatencyFiles.SpaceOf(parsed.GetValue(Conf)!, parsed.GetValue(Classes)));
        Architecture[] wanted = [.. named.Where(n => n.Contains('/', StringComparison.Ordinal))
            .Select(text => LatencyTargets.Find(space, text))
            .Concat(searches.SelectMany(s => LatencyTargets.Models(space, s)))
                .Concat(LatencyTargets.Random(space, parsed.GetValue(Random))).Distinct()];
        bool blocks = parsed.GetValue(Table) || parsed.GetValue(To) is not null;
        if (wanted.Length == 0 && !blocks)
            throw new UsageException("specify an architecture or a search, request random architectures (danas measure --random 20), " +
                "or measure the blocks (--table)");
        string on = On(parsed.GetValue(Device)!);
        if (parsed.GetValue(Batch) is < 1 or > 65_536 || parsed.GetValue(Threads) is < 1 or > 256 || parsed.GetValue(Random) < 0
            || parsed.GetValue(Classes) < 2)
            throw new UsageException("measure requires --batch and --threads of 1 or more, --random of 0 or more, and " +
                "--classes of 2 or more");
        TorchBinding.Prepare(parsed.GetValue(Threads));
        LatencySetup setup = new(parsed.GetValue(Batch), 5, Math.Max(8, parsed.GetValue(Repeats)), on, true);
        string condition = Invariant($"{EngineSession.ProfileOf(on, parsed.GetValue(Threads))}, batch {setup.Batch}");
        BlockTable? measured = blocks ? BlockTable.Measure(space, setup) : null;
        if (measured is { IsRepeatable: false } && !parsed.GetValue(Accept))
        {
            Console.Error.WriteLine(Invariant($"two passes over the blocks agree only with Kendall tau {measured.Tau:0.000} (below " +
                $"{LatencyReport.Believed}): no table was written; reduce the load on the machine, raise --repeats, or accept the " +
                $"result with --accept"));
            return ExitCode.Failed;
        }

        if (measured is not null && parsed.GetValue(To) is { } file)
            Write(file, space, condition, measured);
        return wanted.Length == 0 ? ExitCode.Done : Measure(space, wanted, setup, measured, report =>
        {
            LatencyNotes notes = new(condition, [.. report.Rows.Select(r => new LatencyNote(r.Architecture,
                Math.Round((r.First.Median + r.Second.Median) / 2, 4), r.Predicted is { } p ? Math.Round(p, 4) : null))]);
            foreach (SearchRecord search in report.IsRepeatable ? searches : [])
                SearchNotes.Write(folder, search.Id, notes);
            if (parsed.GetValue(Json))
                Output.PrintJson("measure", report);
            else
                Print(report, parsed.GetValue(Threads), setup);
        });
    }

    private static void Write(string file, SearchSpace space, string condition, BlockTable measured)
    {
        Output.PrintRemark(LatencyFiles.Write(file, space,
            new(condition, Invariant($"danas measure; two passes agree with tau {measured.Tau:0.00}")),
            measured.Fixed, (l, b) => measured.Blocks[l.Index][b.Name]));
        Console.Error.WriteLine($"table of {space.Name}: {Path.GetFullPath(file)}");
    }

    private static int Measure(SearchSpace space, Architecture[] wanted, LatencySetup setup, BlockTable? measured, Action<LatencyReport> to)
    {
        Console.Error.WriteLine(Invariant($"measuring {wanted.Length} architectures, two rounds of {setup.Repeats} passes each"));
        LatencyReport report = LatencyReport.Of(space, wanted, setup, measured is null ? null : measured.Of, Console.Error.WriteLine);
        to(report);
        return report.IsRepeatable ? ExitCode.Done : ExitCode.Failed;
    }

    public static Command Import()
    {
        Argument<string> source = Shared.Argument<string>("FILE",
            "A published table: HW-NAS-Bench's FBNet blocks, or ProxylessNAS's Pixel table (JSON).");
        Option<string> conf = Shared.Option("--conf", "proxylessnas",
            "Search space: proxylessnas, fbnet-cifar100, or one with the same shapes.");
        Option<string> device = Shared.Option("--device", "raspi4", "Device in HW-NAS-Bench: raspi4, pixel3, eyeriss or fpga.");
        Option<string> to = new("--to")
        {
            Required = true,
            Description =
            "Output file of the table, for cost.latency { include \"FILE\" }."
        };
        Command command =
            new("import-latency", "Converts a published latency table into one that can limit the " +
                "latency in a search.") { source, conf, device, to };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            string target = parsed.GetValue(to)!;
            if (!File.Exists(parsed.GetValue(source)!))
                throw new UsageException($"{parsed.GetValue(source)} does not exist; name a JSON file of HW-NAS-Bench (FBNet's blocks) " +
                    $"or of ProxylessNAS (its Pixel table)");
            SearchSpace space = LatencyFiles.SpaceOf(parsed.GetValue(conf)!, 1000);
            Output.PrintRemark(LatencyFiles.Import(parsed.GetValue(source)!, space, parsed.GetValue(device)!, target));
            Output.PrintText($"{Path.GetFullPath(target)}: latencies of {space.Name}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Print(LatencyReport report, int threads, LatencySetup setup)
    {
        Output.PrintTable(
            ["architecture", "MACs", "median ms", "spread", "second pass", "predicted ms"],
            report.Rows.Select(r => (IReadOnlyList<string>)[r.Architecture, Invariant($"{r.Macs:N0}"), Invariant($"{r.First.Median:0.000}"),
                Invariant($"±{r.First.Spread:P0}"), Invariant($"{r.Second.Median:0.000}"), r.Predicted is { } p
                ? Invariant($"{p:0.000}") : "-"]));
        Output.PrintText(Invariant($"{setup.Device}, {threads} thread(s), batch {setup.Batch}, {report.Repeats} timed passes in each of " +
            $"two rounds, interleaved"));
        foreach (string sentence in report.Sentences)
            Output.PrintText(sentence);
    }
}
