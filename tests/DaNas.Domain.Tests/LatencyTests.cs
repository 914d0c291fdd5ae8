using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Tests;

/// <summary>Latency as a bound beside multiply-adds.</summary>
public sealed class LatencyTests
{
    private static readonly SearchSpace Space = TestSearches.Space("cpu-base", 10);

    [Fact]
    public void Selection_under_both_bounds_finds_what_trying_everything_finds()
    {
        CostTable costs = CostTable.Of(Space);
        for (int seed = 0; seed < 3; seed++)
        {
            SeededRandom random = new(seed);
            Dictionary<(int, string), double> score = Space.Layers.SelectMany(l => l.Candidates.Select(b => ((l.Index, b.Name), random.NextDouble()))).ToDictionary(x => x.Item1, x => x.Item2);
            LatencyTable table = Table(_ => 0.2 + random.NextDouble());
            ArchitectureBudget budget = new(4_000_000, 3.2, table);
            double best = All().Where(a => costs.Of(a).Macs <= budget.Macs && table.Of(a) <= budget.Milliseconds).Max(a => a.Blocks.Select((b, l) => Math.Log(score[(l, b)])).Sum());
            ValueList<RankedArchitecture> selected = ArchitectureSelector.Select(Space, Space.AllBlocks, (l, b) => score[(l, b)], budget, 5);
            selected.Count.ShouldBe(5);
            selected.ShouldAllBe(r => table.Of(r.Architecture) <= budget.Milliseconds && r.Cost.Macs <= budget.Macs);
            selected[0].LogScore.ShouldBe(best, 0.02, $"seed {seed}"); // Exact up to a thousandth of the bound.
        }
    }

    [Fact]
    public void A_bound_on_latency_changes_what_a_whole_search_chooses()
    {
        string table = Path.Combine(Path.GetTempPath(), $"danas-latency-{Guid.NewGuid():N}.json");
        try
        {
            // On this device large kernels are dear, whatever their multiply-adds.
            File.WriteAllText(table, Json("cpu-base", b => b.Kernel == 5 ? 10 : 1));
            SearchConfig config = Bounded(table, 8);
            config.Cost.Latency!.Device.ShouldBe("test");
            TestSearches.Run(config, TestSearches.Data()).State.Selected!.Winner.Blocks.ShouldAllBe(b => b.StartsWith("k3", StringComparison.Ordinal));
            TestSearches.Run(TestSearches.Config("quickstart", "prune.ratio=0"), TestSearches.Data()).State.Selected!.Winner.Blocks.ShouldContain(b => b.StartsWith("k5", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(table);
        }
    }

    [Theory]
    [InlineData("cpu-augmented", 100, "is of cpu-augmented")]
    [InlineData("cpu-base", 3, "the quickest architecture of cpu-base takes 6 ms")]
    public void A_table_that_does_not_fit_is_refused_with_the_reason(string space, double bound, string said)
    {
        string table = Path.Combine(Path.GetTempPath(), $"danas-latency-{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(table, Json(space, _ => 1));
            Should.Throw<Cli.Configuration.UsageException>(() => Bounded(table, bound)).Message.ShouldContain(said);
        }
        finally
        {
            File.Delete(table);
        }
    }

    [Fact]
    public void A_bound_without_a_table_is_refused() =>
        Should.Throw<Cli.Configuration.UsageException>(() => TestSearches.Config("quickstart", "cost.target-milliseconds=3")).Message.ShouldContain("danas measure");

    private static SearchConfig Bounded(string table, double milliseconds)
    {
        string file = table + ".conf";
        try
        {
            File.WriteAllText(file, FormattableString.Invariant($"include \"searches/quickstart.conf\"\nprune.ratio = 0\ncost.target-milliseconds = {milliseconds}\ncost.latency {{ include \"{table}\" }}\n"));
            return TestSearches.Config(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static LatencyTable Table(Func<BlockSpec, double> of) => new(
        "cpu-base", "test", "test", 0.1, Space.Layers.Select(l => l.Candidates.Select(b => KeyValuePair.Create(b.Name, of(b))).ToValueList()).ToValueList());

    private static string Json(string space, Func<BlockSpec, double> of) =>
        $"{{ \"space\": \"{space}\", \"device\": \"test\", \"source\": \"test\", \"fixed-milliseconds\": 0, \"layers\": [{string.Join(", ", Space.Layers.Select(l => $"{{ {string.Join(", ", l.Candidates.Select(b => $"\"{b.Name}\": {of(b)}"))} }}"))}] }}";

    private static IEnumerable<Architecture> All()
    {
        IEnumerable<ValueList<string>> paths = [ValueList<string>.Empty];
        foreach (LayerSpec layer in Space.Layers)
            paths = [.. paths.SelectMany(p => layer.Candidates.Select(b => p.Add(b.Name)))];
        return paths.Select(p => new Architecture(Space.Name, p));
    }
}
