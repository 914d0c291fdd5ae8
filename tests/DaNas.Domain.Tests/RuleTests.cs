using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Tests;

public sealed class RuleTests
{
    [Theory]
    [InlineData(10, new[] { 4, 5, 7, 10 })]
    [InlineData(20, new[] { 4, 8, 13, 20 })]
    [InlineData(100, new[] { 10, 30, 60, 100 })]
    [InlineData(1000, new[] { 100, 300, 600, 1000 })]
    public void Class_subsets_have_the_sizes_of_the_method_notes(int classes, int[] expected)
    {
        CurriculumOptions options = new(ClassOrder.EasyFirst, [0.1, 0.3, 0.6, 1.0], 4);
        ClassCurriculum.From(Enumerable.Range(0, classes).ToValueList(), options, 1).Counts.ShouldBe(expected);
    }

    [Fact]
    public void Class_subsets_are_nested_and_the_controls_differ_only_in_order()
    {
        ValueList<int> order = [3, 1, 0, 2, 5, 4, 6, 7];
        CurriculumOptions easy = new(ClassOrder.EasyFirst, [0.5, 1.0], 4);
        ClassCurriculum c = ClassCurriculum.From(order, easy, 1);
        c.ClassesOf(0).ShouldBe([0, 1, 2, 3]);
        c.ClassesOf(0).All(x => c.ClassesOf(1).Contains(x)).ShouldBeTrue();
        ClassCurriculum.From(order, easy with { Order = ClassOrder.HardFirst }, 1).ClassesOf(0).ShouldBe([4, 5, 6, 7]);
        ClassCurriculum.From(order, easy with { Order = ClassOrder.Random }, 1).Order.ShouldBe(order, ignoreOrder: true);
        ClassCurriculum.From(order, easy with { Order = ClassOrder.AllClassesSubsampled }, 1).ClassesOf(0).Count.ShouldBe(8);
    }

    [Fact]
    public void Difficulty_ranks_by_area_by_variance_with_a_guard_and_by_loss()
    {
        // Class 0 is learned at once, class 1 slowly, class 2 never.
        DifficultyTable t = new([[0.9, 0.1, 0.0], [0.9, 0.5, 0.0], [0.9, 0.9, 0.0]], [[0.1, 2.0, 3.0], [0.1, 1.0, 3.0], [0.1, 0.2, 3.0]]);
        ClassDifficulty.Of(DifficultyMeasure.Auc, 0.2, [t]).EasyToHard.ShouldBe([0, 1, 2]);
        ClassDifficulty.Of(DifficultyMeasure.Loss, 0.2, [t]).EasyToHard.ShouldBe([0, 1, 2]);
        ClassDifficulty.Of(DifficultyMeasure.Variance, 0.6, [t]).EasyToHard.ShouldBe([0, 1, 2]);
        ClassDifficulty.Of(DifficultyMeasure.Variance, 0.0, [t]).EasyToHard.ShouldBe([0, 2, 1]);
    }

    [Theory]
    [InlineData(9, new[] { 6, 4, 3 })]
    [InlineData(18, new[] { 11, 7, 5 })]
    [InlineData(6, new[] { 4, 3, 2 })]
    public void Layer_wise_pruning_at_ratio_04_leaves_the_published_counts(int blocks, int[] expected)
    {
        AliveBlocks alive = new([Enumerable.Range(0, blocks).Select(b => $"b{b}").ToValueList()]);
        List<int> counts = [];
        for (int round = 0; round < 3; round++)
        {
            ScoreTable scores = Table(alive, (_, b) => 1 + b.Length + b[^1]);
            alive = alive.Without(PrunePolicy.Decide(scores, alive, new(PruneRule.Layer, 0.4, 1))
                .Select(r => (r.Layer, r.Block)).ToHashSet());
            counts.Add(alive.Count);
        }

        counts.ShouldBe(expected);
    }

    [Fact]
    public void Global_and_threshold_pruning_never_empty_a_layer()
    {
        AliveBlocks alive = new([["a", "b"], ["c", "d", "e", "f"]]);
        ScoreTable scores = Table(alive, (l, b) => l == 0 ? 0.5 : b[0] - 'b');
        foreach (PruneRule rule in Enum.GetValues<PruneRule>())
        {
            AliveBlocks left = alive.Without(PrunePolicy.Decide(scores, alive, new(rule, 0.9, 1))
                .Select(r => (r.Layer, r.Block)).ToHashSet());
            left.Layers.ShouldAllBe(l => l.Count >= 1);
        }

        PrunePolicy.Decide(scores, alive, new(PruneRule.Threshold, 0.5, 1)).Select(r => r.Block).ShouldBe(["c"]);
        PrunePolicy.Decide(scores, alive, new(PruneRule.Global, 0.5, 1)).Select(r => r.Block).ShouldBe(["c", "d", "e"]);
    }

    [Fact]
    public void Selection_under_a_budget_equals_trying_everything()
    {
        SearchSpace space = TestSearches.Space("cpu-base", 10);
        CostTable costs = CostTable.Of(space);
        for (int seed = 0; seed < 5; seed++)
        {
            SeededRandom random = new(seed);
            Dictionary<(int, string), double> score = space.Layers.SelectMany(
                l => l.Candidates.Select(b => ((l.Index, b.Name), random.NextDouble()))).ToDictionary(x => x.Item1, x => x.Item2);
            long budget = 3_000_000 + (seed * 700_000);
            RankedArchitecture[] all =
                [.. All(space).Select(a => new RankedArchitecture(a, a.Blocks.Select((b, l) => Math.Log(score[(l, b)])).Sum(), costs.Of(a)))
                .Where(r => r.Cost.Macs <= budget).OrderByDescending(r => r.LogScore)
                    .ThenBy(r => r.Architecture.Text, StringComparer.Ordinal).Take(7)];
            ValueList<RankedArchitecture> selected = ArchitectureSelector.Select(
                space, space.AllBlocks, (l, b) => score[(l, b)], ArchitectureBudget.OfMacs(budget), 7);
            selected.Select(s => s.Architecture.Text).ShouldBe(all.Select(s => s.Architecture.Text), $"seed {seed}");
        }
    }

    [Fact]
    public void A_budget_that_nothing_fits_gives_the_cheapest_architecture()
    {
        SearchSpace space = TestSearches.Space("cpu-base", 10);
        ValueList<RankedArchitecture> selected = ArchitectureSelector.Select(
            space, space.AllBlocks, (_, _) => 1, ArchitectureBudget.OfMacs(1), 3);
        selected.Count.ShouldBe(1);
        selected[0].Architecture.Blocks.ShouldAllBe(b => b == "k3e1");
    }

    [Fact]
    public void Random_controls_lie_within_the_tolerance_and_differ()
    {
        SearchSpace space = TestSearches.Space("cpu-base", 10);
        CostTable costs = CostTable.Of(space);
        ValueList<Architecture> controls = RandomArchitectures.Near(
            space, ArchitectureBudget.OfMacs(4_000_000), new ControlOptions(5, 0.05), 7, _ => true);
        controls.Distinct().Count().ShouldBe(5);
        controls.ShouldAllBe(a => Math.Abs(costs.Of(a).Macs - 4_000_000) <= 200_000);
        RandomArchitectures.Near(space, ArchitectureBudget.OfMacs(4_000_000), new ControlOptions(5, 0.05), 7, _ => true).ShouldBe(controls);
    }

    [Theory]
    [InlineData(0.95, 1, 12.706)]
    [InlineData(0.95, 2, 4.303)]
    [InlineData(0.95, 4, 2.776)]
    [InlineData(0.95, 10, 2.228)]
    [InlineData(0.99, 30, 2.750)]
    [InlineData(0.90, 100, 1.660)]
    public void Student_quantiles_agree_with_the_printed_tables(double confidence, int degrees, double expected) =>
        Student.Quantile(confidence, degrees).ShouldBe(expected, 0.004 * expected);

    private static ScoreTable Table(AliveBlocks alive, Func<int, string, double> score) => new(
        alive.Layers.SelectMany((l, i) => l.Select(b => BlockScore.Of(i, b, [score(i, b), score(i, b)], 0.95))).ToValueList());

    private static IEnumerable<Architecture> All(SearchSpace space)
    {
        IEnumerable<ValueList<string>> paths = [ValueList<string>.Empty];
        foreach (LayerSpec layer in space.Layers)
            paths = [.. paths.SelectMany(p => layer.Candidates.Select(b => p.Add(b.Name)))];
        return paths.Select(p => new Architecture(space.Name, p));
    }
}
