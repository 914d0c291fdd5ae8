using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration;

namespace DaNas.Domain.Tests;

/// <summary>Latency as a bound beside MACs.</summary>
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
            Dictionary<(int, string), double> score = Space.Layers.SelectMany(
                l => l.Candidates.Select(b => ((l.Index, b.Name), random.NextDouble()))).ToDictionary(x => x.Item1, x => x.Item2);
            LatencyTable table = Table(_ => 0.2 + random.NextDouble());
            ArchitectureBudget budget = new(4_000_000, 3.2, table);
            double best = All().Where(a => costs.Of(a).Macs <= budget.Macs && table.Of(a) <= budget.Milliseconds)
                .Max(a => a.Blocks.Select((b, l) => Math.Log(score[(l, b)])).Sum());
            ValueList<RankedArchitecture> selected = ArchitectureSelector.Select(
                Space, Space.AllBlocks, (l, b) => score[(l, b)], budget, 5);
            selected.Count.ShouldBe(5);
            selected.ShouldAllBe(r => table.Of(r.Architecture) <= budget.Milliseconds && r.Cost.Macs <= budget.Macs);
            selected[0].LogScore.ShouldBe(best, 0.02, $"seed {seed}"); // Exact for costs rounded up to thousandths.
        }
    }

    /// <summary>
    /// 22 layers of 9 candidates: 10^21 architectures. Every layer's best block is the slowest, and the bound lets a third of them stay.
    /// </summary>
    [Fact]
    public void Selection_in_a_deep_space_ends_soon_and_keeps_both_bounds()
    {
        SearchSpace deep = LatencyFiles.SpaceOf("fbnet-cifar100", 100);
        SeededRandom random = new(5);
        CostTable costs = CostTable.Of(deep);
        LatencyTable table = new("fbnet-cifar100", "test", "test", 1, deep.Layers
            .Select(l => l.Candidates.Select(b => KeyValuePair.Create(b.Name, random.NextDouble() - 0.1)).ToValueList()).ToValueList());
        ArchitectureBudget budget = new((long)(costs.MeanMacs(deep.AllBlocks) * 0.9), table.Least(deep.AllBlocks) + 4, table);
        ValueList<RankedArchitecture> selected = ArchitectureSelector.Select(
            deep, deep.AllBlocks, (l, b) => 0.05 + Math.Max(0, table.Of(l, b)), budget, 5);
        selected.Count.ShouldBe(5);
        selected.ShouldAllBe(r => budget.Allows(costs, r.Architecture));
        selected.Select(r => r.LogScore).ShouldBeInOrder(SortDirection.Descending);
        table.Of(selected[0].Architecture).ShouldBeInRange(budget.Milliseconds * 0.95, budget.Milliseconds); // The bound is used.
    }

    /// <summary>The scores like the slow blocks best: without a veto the first prunings would leave nothing that fits.</summary>
    [Fact]
    public void No_pruning_removes_the_blocks_that_a_bound_needs()
    {
        string table = Path.Combine(Path.GetTempPath(), $"danas-latency-{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(table, Json("cpu-base", b => b.Name == "k3e1" ? 1 : 10));
            string file = table + ".conf";
            File.WriteAllText(file, $"include \"searches/drawn-12.conf\"\ncost.target-milliseconds = 8\ncost.latency {{ include " +
                $"\"{table}\" }}\nprune.ratio = 0.6\n");
            SearchConfig config = TestSearches.Config(file);
            File.Delete(file);
            (Searches.SearchState state, List<Searches.SearchEvent> events) = TestSearches.Run(config, TestSearches.Data());
            events.OfType<Searches.SearchEvent.BlocksPruned>().ShouldNotBeEmpty();
            state.Alive!.Layers.ShouldAllBe(l => l.Contains("k3e1"));
            state.Selected!.Winner.Blocks.ShouldAllBe(b => b == "k3e1"); // 6 ms; one other block would make 15.
            TestSearches.Run(TestSearches.Config("drawn-12", "prune.ratio=0.6"), TestSearches.Data()).State.Alive!.Layers
                .ShouldContain(l => !l.Contains("k3e1"));
        }
        finally
        {
            File.Delete(table);
        }
    }

    /// <summary>Published tables, where they are: values of the files, by the block that they belong to.</summary>
    [SharedDataFact("nas/latency")]
    public void Published_tables_become_tables_of_their_spaces()
    {
        string target = Path.Combine(Path.GetTempPath(), $"danas-latency-{Guid.NewGuid():N}.json");
        try
        {
            SearchSpace phone = LatencyFiles.SpaceOf("proxylessnas", 1000);
            LatencyFiles.Import(SharedData.Find("nas/latency/proxylessnas_pixel_trim.json")!, phone, "pixel1", target);
            System.Text.Json.JsonElement pixel = System.Text.Json.JsonDocument.Parse(File.ReadAllText(target)).RootElement;
            pixel.GetProperty("fixed-milliseconds").GetDouble().ShouldBe(4.397037934668071 + 6.28499578503688 + 0.9348261327713382, 1e-5);
            // 112 x 112 x 16 to 56 x 56 x 24.
            pixel.GetProperty("layers")[1].GetProperty("k3e3").GetDouble().ShouldBe(5.608820512820512, 1e-5);
            pixel.GetProperty("layers")[2].GetProperty("skip").GetDouble().ShouldBe(0);
            SearchSpace fbnet = LatencyFiles.SpaceOf("fbnet-cifar100", 100);
            LatencyFiles.Import(SharedData.Find("nas/latency/hwnasbench_fbnet_cifar100_block_lut.json")!, fbnet, "raspi4", target);
            System.Text.Json.JsonElement pi = System.Text.Json.JsonDocument.Parse(File.ReadAllText(target)).RootElement;
            pi.GetProperty("fixed-milliseconds").GetDouble().ShouldBe(17.618579145143, 1e-5);
            pi.GetProperty("layers")[0].GetProperty("k3e6").GetDouble().ShouldBe(1.766855390015, 1e-5);
            Should.Throw<UsageException>(() => LatencyFiles.Import(SharedData.Find("nas/latency/hwnasbench_fbnet_cifar100_block_lut.json")!,
                fbnet, "toaster", target)).Message.ShouldContain("raspi4");
            Should.Throw<UsageException>(() => LatencyFiles.Import(SharedData.Find("nas/latency/proxylessnas_pixel_trim.json")!, Space,
                "pixel1", target)).Message.ShouldContain("proxylessnas");
        }
        finally
        {
            File.Delete(target);
        }
    }

    /// <summary>What a hand or a cut download makes of a published table; a fuzz found the second.</summary>
    [Theory]
    [InlineData("""{"0":"k3_e1","1":"k3_e1"}""", "op_names contains k3e1 twice, as 0 and as 1")]
    [InlineData("""{"0":"k3_e1","1":"k3_e1","1":"skip"}""", "Duplicate property '1'")]
    [InlineData("""{"0":null}""", "op_names.0 has no name")]
    [InlineData("""{"99999999999":"skip"}""", "op_names.99999999999 is not a column number")]
    [InlineData("""{"-1":"skip"}""", "op_names.-1 is not a column number")]
    public void A_damaged_published_table_is_refused_with_the_reason(string names, string said)
    {
        string table = Path.Combine(Path.GetTempPath(), $"danas-latency-{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(table, """{"devices":{"pixel1":{"base_ms":1.5,"delta_ms":[[1]]}},"op_names":""" + names + "}");
            string message = Should.Throw<UsageException>(() => LatencyFiles.Import(table, Space, "pixel1", table + ".to")).Message;
            message.ShouldContain(table);
            message.ShouldContain(said);
        }
        finally
        {
            File.Delete(table);
        }
    }

    [Fact]
    public void A_bound_on_latency_changes_what_a_whole_search_chooses()
    {
        string table = Path.Combine(Path.GetTempPath(), $"danas-latency-{Guid.NewGuid():N}.json");
        try
        {
            // On this device large kernels are dear, whatever their MACs.
            File.WriteAllText(table, Json("cpu-base", b => b.Kernel == 5 ? 10 : 1));
            SearchConfig config = Bounded(table, 8);
            config.Cost.Latency!.Device.ShouldBe("test");
            TestSearches.Run(config, TestSearches.Data()).State.Selected!.Winner.Blocks
                .ShouldAllBe(b => b.StartsWith("k3", StringComparison.Ordinal));
            TestSearches.Run(TestSearches.Config("drawn-12", "prune.ratio=0"), TestSearches.Data()).State.Selected!.Winner.Blocks
                .ShouldContain(b => b.StartsWith("k5", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(table);
        }
    }

    [Theory]
    [InlineData("cpu-augmented", 100, "is for cpu-augmented")]
    [InlineData("cpu-base", 3, "the fastest architecture of cpu-base takes 6 ms")]
    public void A_table_that_does_not_fit_is_refused_with_the_reason(string space, double bound, string said)
    {
        string table = Path.Combine(Path.GetTempPath(), $"danas-latency-{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(table, Json(space, _ => 1));
            Should.Throw<UsageException>(() => Bounded(table, bound)).Message.ShouldContain(said);
        }
        finally
        {
            File.Delete(table);
        }
    }

    [Fact]
    public void A_bound_without_a_table_is_refused() =>
        Should.Throw<UsageException>(() => TestSearches.Config("drawn-12", "cost.target-milliseconds=3")).Message
            .ShouldContain("danas measure");

    private static SearchConfig Bounded(string table, double milliseconds)
    {
        string file = table + ".conf";
        try
        {
            File.WriteAllText(file, Invariant($"include \"searches/drawn-12.conf\"\nprune.ratio = 0\ncost.target-milliseconds = " +
                $"{milliseconds}\ncost.latency {{ include \"{table}\" }}\n"));
            return TestSearches.Config(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static LatencyTable Table(Func<BlockSpec, double> of) => new(
        "cpu-base", "test", "test", 0.1, Space.Layers.Select(
            l => l.Candidates.Select(b => KeyValuePair.Create(b.Name, of(b))).ToValueList()).ToValueList());

    private static string Json(string space, Func<BlockSpec, double> of) =>
        $"{{ \"space\": \"{space}\", \"device\": \"test\", \"source\": \"test\", \"fixed-milliseconds\": 0, \"layers\": [{string.Join(
            ", ", Space.Layers.Select(l => $"{{ {string.Join(", ", l.Candidates.Select(b => $"\"{b.Name}\": {of(b)}"))} }}"))}] }}";

    private static IEnumerable<Architecture> All()
    {
        IEnumerable<ValueList<string>> paths = [ValueList<string>.Empty];
        foreach (LayerSpec layer in Space.Layers)
            paths = [.. paths.SelectMany(p => layer.Candidates.Select(b => p.Add(b.Name)))];
        return paths.Select(p => new Architecture(Space.Name, p));
    }
}
