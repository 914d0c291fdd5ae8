using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Drills;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.Simulation.Engines;

namespace DaNas.Domain.Tests;

/// <summary>What a search may say of itself, and the controls that it says it by.</summary>
public sealed class VerdictTests
{
    [Theory]
    [InlineData(0.9, 19, 1e6, "better than random: rank 1 compared with 19 random architectures of equal cost (a random one would do as " +
        "well in 5 % of cases)")]
    [InlineData(0.9, 12, 1e6, "ahead of all 12 random architectures of equal cost (a random one would be in 7.7 % of cases); at least 19 " +
        "controls are needed for a verdict")]
    [InlineData(0.5, 19, 1e6, "not distinguishable from random (a random architecture would do as well in 55 % of cases): longer " +
        "training or a wider search space is needed")]
    [InlineData(0.59, 19, 1e6, "not distinguishable from random (a random architecture would do as well in 10 % of cases): longer " +
        "training or a wider search space is needed")]
    [InlineData(0.9, 19, 30, "better than random: rank 1 compared with 19 random architectures of equal cost (a random one would do as " +
        "well in 5 % of cases); only 30 architectures of the search space have about the same cost, so there was little to choose from")]
    public void The_sentence_follows_from_the_place(double winner, int controls, double band, string sentence) =>
        SearchVerdict.Of(winner, [.. Enumerable.Range(0, controls).Select(i => 0.41 + (0.01 * i))], band).Sentence.ShouldBe(sentence);

    [Fact]
    public void A_tie_counts_against_the_winner() => SearchVerdict.Of(0.5, [0.5, 0.4, 0.3], 100).Rank.ShouldBe(2);

    /// <summary>
    /// Mean 0.4, standard deviation 0.1, n = 3: t = 4.30265 with 2 degrees of freedom, half width 4.30265 x 0.1 / sqrt(3) = 0.248414.
    /// </summary>
    [Fact]
    public void The_interval_is_that_of_the_controls_mean()
    {
        SearchVerdict v = SearchVerdict.Of(0.6, [0.3, 0.4, 0.5], 100);
        v.Difference.ShouldBe(0.2, 1e-12);
        v.Low.ShouldBe(0.2 - 0.248414, 1e-4);
        v.High.ShouldBe(0.2 + 0.248414, 1e-4);
        double.IsNaN(SearchVerdict.Of(0.6, [0.3], 100).Low).ShouldBeTrue();
    }

    /// <summary>Every predictor names the run that it scores highest, its accuracy and its place; a tie counts against it.</summary>
    [Fact]
    public void Beside_the_verdict_stands_what_would_have_been_chosen_without_a_search()
    {
        SearchConfig config = TestSearches.Config("drawn-12", "controls.count=3");
        (SearchState state, List<SearchEvent> events) = TestSearches.Run(config, TestSearches.Data());
        ValueList<RetrainedModel> models = ((SearchPhase.Completed)state.Phase).Models;
        CostTable costs = CostTable.Of(state.Space!);
        RetrainedModel dearest = models.OrderByDescending(m => costs.Of(m.Architecture).Macs)
            .ThenBy(m => m.Architecture.Text, StringComparer.Ordinal).First();
        IReadOnlyList<PredictorChoice> choices = PredictorChoice.Of(state, events);
        choices.Select(c => c.Predictor).ShouldBe(["most multiply-adds", "most parameters"]); // A landscape has no networks.
        choices[0].ShouldBe(new("most multiply-adds", dearest.Run, dearest.TestAccuracy,
            models.Count(m => m.TestAccuracy >= dearest.TestAccuracy), 4));

        SearchEvent.SegmentCompleted[] measured = [.. models.Select((m, i) => new SearchEvent.SegmentCompleted(
            m.Run, 0, new(Digest.Of("x"), 1), 1, 0, new(0, 0, 0), new(0)) { Initial = new(i == 2 ? 9 : i, -i) })];
        choices = PredictorChoice.Of(state, measured);
        choices.Select(c => (c.Predictor, c.Run)).Skip(2).ShouldBe([("synflow", models[2].Run), ("jacobian covariance", models[0].Run)]);
        PredictorChoice.Of(state, measured.Skip(1)).Count.ShouldBe(2); // Of one architecture nothing is known, so nothing is said.
        choices[2].ToString().ShouldStartWith($"synflow {models[2].Run} (");
    }

    /// <summary>
    /// A thousand searches that see nothing but noise: by chance alone 50 are first of 20; 65 are 2.2 standard deviations more.
    /// </summary>
    [Fact]
    public void Searches_that_see_noise_alone_are_called_better_than_random_in_one_of_twenty()
    {
        string file = TableTests.WriteMade(Path.Combine(Path.GetTempPath(), $"danas-noise-{Guid.NewGuid():N}.json"));
        try
        {
            ArchitectureTable table = ArchitectureTable.Read(file, TableDataset.Cifar10);
            int better = Enumerable.Range(1, 1000).AsParallel().Count(seed =>
            {
                SearchConfig config = ConfigLoader.Load("nas-bench-macro", [$"engine.table=\"{file}\"", "engine.noise=1", "rounds.steps=6",
                    "stage.epochs=6", "controls.count=19", "controls.tolerance=0.2", $"search.seed={seed}"], null);
                TableEngine engine = new(new EngineContext(config, table.Summary), table, new MemoryBlobs());
                return SearchVerdict.Of(new SimulatedSearch(config, table.Summary, engine.Run).RunClean().State)!.Sentence
                    .StartsWith("better than random", StringComparison.Ordinal);
            });
            better.ShouldBeInRange(35, 65);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.3)]
    public void A_band_counts_and_draws_what_enumeration_finds(double tolerance)
    {
        SearchSpace space = TestSearches.Space("cpu-base", 10);
        CostTable costs = CostTable.Of(space);
        Architecture[] inside = [.. All(space).Where(a => Math.Abs(costs.Of(a).Macs - 3_000_000) <= tolerance * 3_000_000)];
        ArchitectureBand band = new(space, 3_000_000, tolerance);
        band.Count.ShouldBe(inside.Length, inside.Length <= 1900 ? 0 : 0.05 * inside.Length);
        ValueList<Architecture> drawn = band.Draw(2000, 7, _ => true);
        drawn.Count.ShouldBe(Math.Min(2000, inside.Length));
        drawn.Distinct().Count().ShouldBe(drawn.Count);
        drawn.All(inside.Contains).ShouldBeTrue();
        foreach (LayerSpec layer in space.Layers)
        {
            foreach (BlockSpec block in layer.Candidates)
            {
                double share = inside.Count(a => a.Blocks[layer.Index] == block.Name) / (double)inside.Length;
                (drawn.Count(a => a.Blocks[layer.Index] == block.Name) / (double)drawn.Count)
                    .ShouldBe(share, 4 * Math.Sqrt(share * (1 - share) / drawn.Count) + 1e-9, $"L{layer.Index + 1:00}/{block.Name}");
            }
        }
    }

    /// <summary>A table space whose winner costs nothing: the band is of those that cost nothing too.</summary>
    [Fact]
    public void A_band_around_no_cost_has_those_that_cost_nothing()
    {
        SearchSpace space = ConfigLoader.Load("nas-bench-201", ["engine.table=x", "space.positions=2", "space.options=[a, b]",
            "space.macs=[{ a = 0, b = 4000000000 }, { a = 0, b = 1 }]"], null).SpaceFor(1);
        ArchitectureBand band = new(space, 0, 0.05);
        band.Count.ShouldBe(1);
        band.Draw(5, 1, _ => true).Single().Blocks.ShouldBe(["a", "a"]);
    }

    [Fact]
    public void Controls_are_drawn_from_the_band_without_the_winner_and_in_searches_of_before_by_a_walk()
    {
        SearchSpace space = TestSearches.Space("cpu-base", 10);
        ControlOptions uniform = new(5, 0.05) { Draw = ControlDraw.Uniform };
        ValueList<Architecture> controls = RandomArchitectures.Near(space, ArchitectureBudget.OfMacs(3_000_000), uniform, 7, _ => true);
        controls.Count.ShouldBe(5);
        controls.ShouldNotBe(RandomArchitectures.Near(space, ArchitectureBudget.OfMacs(3_000_000),
            new ControlOptions(5, 0.05), 7, _ => true));
        RandomArchitectures.Near(space, ArchitectureBudget.OfMacs(3_000_000), uniform, 7, a => a != controls[0])
            .ShouldNotContain(controls[0]);
        ConfigLoader.Load("drawn-12", [], null).Controls.Draw.ShouldBe(ControlDraw.Uniform);
    }

    private static IEnumerable<Architecture> All(SearchSpace space) => space.Layers
        .Aggregate((IEnumerable<ValueList<string>>)[[]], (paths, layer) =>
            paths.SelectMany(p => layer.Candidates.Select(b => p.Add(b.Name))))
        .Select(p => new Architecture(space.Name, p));
}
