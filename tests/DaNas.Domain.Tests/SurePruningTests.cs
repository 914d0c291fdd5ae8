using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Evidence;

namespace DaNas.Domain.Tests;

/// <summary>Effects of blocks on path losses, their null, and what a stage does that is not sure.</summary>
public sealed class SurePruningTests
{
    private static readonly SearchSpace Space = TestSearches.Config("nas-bench-201", "engine.table=made-up").SpaceFor(1);

    /// <summary>
    /// Losses that are exactly the sum of block effects: 0, 1, 2, 3, 4 in the first position, twice that in the second, nothing in the
    /// others. The regression gives them back less their means, 2 and 4, without error.
    /// </summary>
    [Fact]
    public void Effects_of_losses_without_noise_are_exact()
    {
        PathLoss[] paths = [.. Paths(40, 4, 1, (b, _) => b[0] + (2 * b[1]))];
        ValueList<ValueList<BlockTest>> tests = BlockEffects.Of(paths, Space, Unit(Space.AllBlocks, 1), Removed);
        for (int b = 0; b < 5; b++)
        {
            tests[0][b].Effect.ShouldBe(b - 2, 1e-3);
            tests[1][b].Effect.ShouldBe(2 * (b - 2), 1e-3);
            tests[2][b].Effect.ShouldBe(0, 1e-3);
            tests[0][b].Error.ShouldBe(0, 1e-3);
        }

        tests[0].Sum(t => t.Paths).ShouldBe(160);
        tests[0].Select(t => t.Probability < 0.01).ShouldBe([false, false, false, true, true]); // k = 2 of 5.
        tests[2].ShouldAllBe(t => t.Probability > 0.01);
    }

    /// <summary>
    /// Three columns, worked out by hand: with two blocks in one layer, effects are half the difference of their within-step means.
    /// </summary>
    [Fact]
    public void Two_blocks_of_one_layer_differ_by_their_means_within_steps()
    {
        AliveBlocks two =
            new(Space.Layers.Select((l, i) => l.Candidates.Take(i == 0 ? 2 : 1).Select(c => c.Name).ToValueList()).ToValueList());
        PathLoss[] paths = [.. Enumerable.Range(0, 12).SelectMany(
            s => new[] { new PathLoss(s, s + 1.0, [0, 0, 0, 0, 0, 0]), new PathLoss(s, s + 1.5 + (s % 2), [1, 0, 0, 0, 0, 0]) })];
        ValueList<ValueList<BlockTest>> tests = BlockEffects.Of(paths, Space, Unit(two, 1), n => n - 1);
        // Differences within steps: 0.5, 1.5, 0.5, 1.5, ... mean 1; half of it each. Their deviations from the mean are 0.5: error of the
        // difference sqrt(12 x 0.25) / 12, times 12/11.
        tests[0][1].Effect.ShouldBe(0.5, 1e-5);
        tests[0][0].Effect.ShouldBe(-0.5, 1e-5);
        tests[0][1].Error.ShouldBe(0.5 * Math.Sqrt(12 * 0.25) / 12 * 12 / 11, 1e-5);
        tests[0][1].Paths.ShouldBe(12);
        tests[0][1].Probability.ShouldBeLessThan(0.1);
        tests[0][0].Probability.ShouldBe(1);
    }

    /// <summary>A pruning renames no block, and paths through blocks that left still tell of the others.</summary>
    [Fact]
    public void Paths_through_blocks_that_left_tell_of_the_others()
    {
        AliveBlocks less = Space.AllBlocks.Without([(0, "none"), (3, "avg_pool_3x3")]);
        PathLoss[] paths = [.. Paths(60, 4, 2, (b, r) => b[0] + (0.1 * r.NextGaussian()))];
        ValueList<ValueList<BlockTest>> tests = BlockEffects.Of(paths, Space, Unit(less, 1), Removed);
        tests[0].Count.ShouldBe(4);
        tests[0].Select(t => t.Effect).ShouldBe(tests[0].Select(t => t.Effect).Order());
        tests[0].Average(t => t.Effect).ShouldBe(0, 1e-6);
        tests[1].Sum(t => t.Paths).ShouldBe(240);
    }

    /// <summary>70,000 steps of 4 paths: every eighth step of them is kept, whether they came at once or in two parts.</summary>
    [Fact]
    public void Path_losses_of_long_searches_are_thinned_step_by_step()
    {
        PathLoss[] all = [.. Paths(70_000, 4, 4, (b, _) => b[0])];
        IReadOnlyList<PathLoss> kept = PathLoss.Kept(all);
        kept.Count.ShouldBe(4 * 8750);
        kept.ShouldAllBe(p => p.Step % 8 == 0);
        PathLoss[] part = [.. PathLoss.Kept([.. all.Where(p => p.Step < 40_000)]), .. all.Where(p => p.Step >= 40_000)];
        PathLoss.Kept(part).ShouldBe(kept);
        PathLoss.Kept(all[..400]).Count.ShouldBe(400);
    }

    [Fact]
    public void Too_few_paths_say_nothing() =>
        BlockEffects.Of([.. Paths(8, 4, 3, (b, _) => b[0])], Space, Unit(Space.AllBlocks, 1), Removed).SelectMany(l => l)
            .ShouldAllBe(t => t.Probability == 1);

    /// <summary>
    /// 400 tests without signal, each at 5 %: no more of them find anything than 5 % do but for chance (0.95 quantile of the binomial: 27).
    /// </summary>
    [Fact]
    public void A_test_without_signal_is_right()
    {
        Found(1000, (_, r) => r.NextGaussian()).ShouldBeLessThanOrEqualTo(27);
    }

    /// <summary>
    /// The least favourable case: in every layer two blocks are far better, three are equal. Losses vary more through one of them, and with
    /// the step.
    /// </summary>
    [Fact]
    public void Equal_blocks_at_the_cut_are_not_pruned_as_sure_though_losses_vary_unequally()
    {
        Found(5000, (b, r) => b.Sum(x => x < 2 ? -1.0 : 0) + ((b[0] == 4 ? 2 : 1) * r.NextGaussian())).ShouldBeLessThanOrEqualTo(27);
    }

    /// <summary>
    /// The sampler has left one block of every layer nearly alone, and two are far better: no other is under the cut (0.999 quantile of the
    /// binomial at 5 %: 35).
    /// </summary>
    [Fact]
    public void Blocks_in_few_paths_are_in_no_test()
    {
        Found(9000, (b, r) => b.Sum(x => x < 2 ? -1.0 : 0) + r.NextGaussian(), 0.02).ShouldBeLessThanOrEqualTo(35);
    }

    [Fact]
    public void A_search_that_is_not_sure_trains_on_keeps_more_blocks_and_says_so()
    {
        SearchConfig config = TestSearches.Config("drawn-12", "prune.train-on=4");
        (SearchState end, List<SearchEvent> events) = TestSearches.Run(config, TestSearches.Data());
        end.Phase.ShouldBeOfType<SearchPhase.Completed>();
        SearchEvent.StageOpened first = events.OfType<SearchEvent.StageOpened>().First(s => s.Plan.PrunesAtEnd);
        SearchEvent.StageExtended[] longer = [.. events.OfType<SearchEvent.StageExtended>().Where(s => s.Plan.Index == first.Plan.Index)];
        longer.Select(l => l.Plan.Rounds).ShouldBe([2 * first.Plan.Rounds, 4 * first.Plan.Rounds]);
        longer.ShouldAllBe(l => l.Asked == 12 && l.Sure < 12);
        events.OfType<SearchEvent.RoundCompleted>().Count(r => r.Stage == first.Plan.Index).ShouldBe(4 * first.Plan.Rounds);
        SearchEvent.BlocksPruned pruned = events.OfType<SearchEvent.BlocksPruned>().First();
        pruned.Removed.Count.ShouldBeInRange(1, 11);
        pruned.Rule.ShouldBe($"layer 0.4, sure: {pruned.Removed.Count} of 12 at error 0.05");
        pruned.Removed[0].Reason.ShouldContain("surely worse than 4 of the 6 blocks of its layer");
        end.Plan!.TotalRounds.ShouldBe(events.OfType<SearchEvent.RoundCompleted>().Count());
        SearchReplay.Check(events).Difference.ShouldBeNull();
    }

    /// <summary>The looks of all prunings share the error: 3 prunings, looks of 1, 2 and 4 parts of 7.</summary>
    [Fact]
    public void The_looks_of_a_search_share_its_error()
    {
        SearchConfig config = TestSearches.Config("drawn-12", "prune.train-on=4");
        SearchState end = TestSearches.Run(config, TestSearches.Data()).State;
        config.Prune.Looks.ShouldBe(3);
        Enumerable.Range(0, 3).Select(l => end.Plan!.ErrorOfLook(config.Prune, l))
            .ShouldBe([0.05 / 3 / 7, 0.05 / 3 * 2 / 7, 0.05 / 3 * 4 / 7], 1e-12);
        new PruneOptions(PruneRule.Layer, 0.4, 1) { TrainOn = 6 }.Looks.ShouldBe(4);
        new PruneOptions(PruneRule.Layer, 0.4, 1) { TrainOn = 6 }.Length(3).ShouldBe(6);
        new PruneOptions(PruneRule.Layer, 0.4, 1).Looks.ShouldBe(1);
    }

    /// <summary>In how many of 400 searches' first looks anything is sure at 5 %.</summary>
    private static int Found(int seed, Func<int[], SeededRandom, double> loss, double last = 1) => Enumerable.Range(0, 400).AsParallel()
        .Count(i => BlockEffects.Of([.. Paths(60, 4, seed + i, loss, last)], Space, Unit(Space.AllBlocks, i), Removed).SelectMany(l => l)
            .Any(t => t.Probability <= 0.05));

    private static int Removed(int blocks) => (int)(0.4 * blocks);

    private static WorkUnit.TestBlocks Unit(AliveBlocks alive, long seed) => new("s1/e0/effects", seed, null, alive, 999);

    private static IEnumerable<PathLoss> Paths(int steps, int paths, long seed, Func<int[], SeededRandom, double> loss, double last = 1)
    {
        SeededRandom random = new(seed);
        for (int s = 0; s < steps; s++)
        {
            for (int k = 0; k < paths; k++)
            {
                int[] blocks =
                    [.. Space.Layers.Select(l => random.NextInt(random.NextDouble() < last ? l.Candidates.Count : l.Candidates.Count - 1))];
                yield return new(s, s + loss(blocks, random), blocks);
            }
        }
    }
}
