using System.CommandLine;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Torch;

namespace DaNas.Cli.Verbs;

/// <summary>measure: latency that was measured, with a check whether the measurement can be repeated, and a table of blocks to predict it from.</summary>
internal static class MeasureVerb
{
    /// <summary>Below this, two passes do not order the architectures alike, and no number is worth quoting.</summary>
    private const double Repeatable = 0.8;

    public static Command Measure()
    {
        Argument<string[]> architectures = new("ARCH") { Arity = ArgumentArity.ZeroOrMore, Description = "Architectures as text, such as cpu-base/k3e6.k5e3...; ids of searches that have chosen one." };
        Option<string> conf = new("--conf") { DefaultValueFactory = _ => "quickstart", Description = "The configuration whose space they belong to." };
        Option<int> classes = new("--classes") { DefaultValueFactory = _ => 10, Description = "Classes of the classifier." };
        Option<int> random = new("--random") { Description = "Also so many random architectures of the space." };
        Option<bool> table = new("--table") { Description = "Also measures every block by itself, and predicts each architecture as the sum of its blocks." };
        Option<string> device = new("--device") { DefaultValueFactory = _ => "cpu", Description = "cpu or cuda." };
        Option<int> threads = new("--threads") { DefaultValueFactory = _ => 1, Description = "Threads of libtorch." };
        Option<int> batch = new("--batch") { DefaultValueFactory = _ => 1, Description = "Pictures a pass." };
        Option<int> repeats = new("--repeats") { DefaultValueFactory = _ => 40, Description = "Timed passes of each, in each of two rounds." };
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("measure", "Measures the latency of architectures on this machine, twice, and tells whether the two agree.") { architectures, conf, classes, random, table, device, threads, batch, repeats, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchSpace space = ConfigLoader.Load(parsed.GetValue(conf)!, ["data.path=-"], null).SpaceFor(parsed.GetValue(classes));
            Architecture[] wanted = [.. parsed.GetValue(architectures)!.Select(text => Find(space, folder, text)), .. Random(space, parsed.GetValue(random))];
            if (wanted.Length == 0)
                throw new UsageException("name an architecture or a search, or draw some: danas measure --random 20");
            TorchBinding.Prepare(parsed.GetValue(threads));
            LatencySetup setup = new(parsed.GetValue(batch), 5, Math.Max(5, parsed.GetValue(repeats)), parsed.GetValue(device)!, true);
            LatencyReport report = LatencyReport.Of(space, wanted, setup, parsed.GetValue(table));
            if (parsed.GetValue(json))
                Output.PrintJson(report);
            else
                Print(report, parsed.GetValue(threads), setup);
            return report.IsRepeatable ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static Architecture Find(SearchSpace space, OutputFolder folder, string text)
    {
        if (Architecture.Parse(space, text) is { } found)
            return found;
        if (text.Contains('/', StringComparison.Ordinal))
            throw new UsageException($"'{text}' is no architecture of {space.Name}: write {space.Name}/ and one candidate a layer, with dots between; --conf names another space");
        Architecture chosen = SearchRecord.Load(folder, text).State.Selected?.Winner ?? throw new UsageException($"search {text} has not chosen an architecture yet");
        return Architecture.Parse(space, chosen.Text) ?? throw new UsageException($"{chosen.Text} is not of {space.Name}: name its configuration with --conf");
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
            ["architecture", "multiply-adds", "ms", "spread", "second pass, ms", "predicted, ms"],
            report.Rows.Select(r => (string[])[r.Architecture, Output.Text($"{r.Macs:N0}"), Output.Text($"{r.First.Median:0.000}"), Output.Text($"{r.First.Spread:P0}"), Output.Text($"{r.Second.Median:0.000}"), r.Predicted is { } p ? Output.Text($"{p:0.000}") : "-"]));
        Console.WriteLine(Output.Text($"{setup.Device}, {threads} thread(s), batch {setup.Batch}, medians of {setup.Repeats} passes"));
        if (report.Rows.Count > 1)
            Console.WriteLine(Output.Text($"two passes agree with Kendall tau-b {report.TauOfPasses:0.000}{(report.IsRepeatable ? string.Empty : Output.Text($": under {Repeatable}, not repeatable; quieten the machine or raise --repeats"))}; multiply-adds order them with {report.TauOfMacs:0.000}"));
        if (report.TauOfPrediction is { } tau)
            Console.WriteLine(Output.Text($"sums of blocks order them with {tau:0.000}; mean error {report.MeanErrorOfPrediction:P1} of the measured latency"));
    }

    internal sealed record LatencyRow(string Architecture, long Macs, Latency First, Latency Second, double? Predicted);

    internal sealed record LatencyReport(IReadOnlyList<LatencyRow> Rows, double TauOfPasses, double TauOfMacs, double? TauOfPrediction, double? MeanErrorOfPrediction, IReadOnlyList<IReadOnlyDictionary<string, double>> Blocks)
    {
        /// <summary>One architecture has no order; two or more must be ordered alike by two passes.</summary>
        public bool IsRepeatable => Rows.Count < 2 || TauOfPasses >= Repeatable;

        public static LatencyReport Of(SearchSpace space, IReadOnlyList<Architecture> architectures, LatencySetup setup, bool table)
        {
            LatencyMeter meter = new(space, setup);
            CostTable costs = CostTable.Of(space);
            Latency[] first = [.. architectures.Select(meter.Of)];
            Dictionary<string, double>[] blocks = table ? [.. space.Layers.Select(l => l.Candidates.ToDictionary(b => b.Name, b => meter.Of(l, b).Median, StringComparer.Ordinal))] : [];
            double rest = table ? meter.FixedMilliseconds() : 0;
            Latency[] second = [.. architectures.Select(meter.Of)];
            double[] measured = [.. first.Zip(second, (a, b) => (a.Median + b.Median) / 2)];
            double[]? predicted = table ? [.. architectures.Select(a => rest + a.Blocks.Select((b, l) => blocks[l][b]).Sum())] : null;
            return new(
                [.. architectures.Select((a, i) => new LatencyRow(a.Text, costs.Of(a).Macs, first[i], second[i], predicted?[i]))],
                RankStatistics.KendallTauB([.. first.Select(l => l.Median)], [.. second.Select(l => l.Median)]),
                RankStatistics.KendallTauB([.. architectures.Select(a => (double)costs.Of(a).Macs)], measured),
                predicted is null ? null : RankStatistics.KendallTauB(predicted, measured),
                predicted?.Zip(measured, (p, m) => Math.Abs(p - m) / m).Average(),
                blocks);
        }
    }
}
