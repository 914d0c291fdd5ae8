using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration;

namespace DaNas.Domain.Tests;

/// <summary>The update of ProxylessNAS's two paths (Cai et al. 2019, section 3.2.1), against numbers worked out by hand.</summary>
public sealed class TwoPathTests
{
    private static readonly AliveBlocks Alive = new([["a", "b", "c"], ["d"]]);

    private static ArchitectureOptions Plain(double rate) => new(rate, 0, 0, 0, 1);

    /// <summary>
    /// alpha = (ln 1, ln 3, ln 4): p = (1/8, 3/8, 1/2). Of the pair (b, a): q = (3/4, 1/4), gates' slopes (2, 0), mean 3/2, so gradients
    /// 3/4 x 1/2 = 3/8 and 1/4 x -3/2 = -3/8. Adam without memory moves each by the rate against its sign; the shift gives the two their
    /// former sum, and c keeps 1/2.
    /// </summary>
    [Fact]
    public void A_step_moves_the_pair_alone_and_keeps_its_sum()
    {
        ArchitectureParameters p = new(Alive);
        (double, double)[] alphas = [(0, Math.Log(1)), (1, Math.Log(3)), (2, Math.Log(4))];
        foreach ((double j, double alpha) in alphas)
            p[0, (int)j] = (alpha, 0, 0);
        p.StepPairs([[1, 0], [0]], [[2, 0], [5]], [[0, 0, 0], [0]], Plain(0.1));
        double[] after = p.Probabilities(0);
        after[2].ShouldBe(0.5, 1e-12);
        (after[1] / after[0]).ShouldBe(3 * Math.Exp(-0.2), 1e-6); // b down by 0.1, a up by 0.1.
        p[0, 1].First.ShouldBe(0.375, 1e-12);
        p[0, 0].First.ShouldBe(-0.375, 1e-12);
        p[0, 2].ShouldBe((Math.Log(4), 0, 0));
        p.AlphaOf(1)[0].ShouldBe(0);
    }

    /// <summary>
    /// The cost's slope in p reaches the pair by its share s = 1/2 of the probability: gates 0, costs (4, 0, 100): slopes (0, 2) of (b, a),
    /// mean 1/2, gradients 3/4 x -1/2 and 1/4 x 3/2.
    /// </summary>
    [Fact]
    public void The_cost_counts_by_the_pairs_share_of_the_probability()
    {
        ArchitectureParameters p = new(Alive);
        p[0, 1] = (Math.Log(3), 0, 0);
        p[0, 2] = (Math.Log(4), 0, 0);
        p.StepPairs([[1, 0], [0]], [[0, 0], [0]], [[4, 0, 100], [0]], Plain(0.1));
        p[0, 1].First.ShouldBe(-0.375, 1e-12);
        p[0, 0].First.ShouldBe(0.375, 1e-12);
    }

    /// <summary>
    /// p = (1/8, 3/8, 1/2). A pair holds a in 1/8 + 3/8 x (1/8)/(5/8) + 1/2 x (1/8)/(1/2) = 0.325 of all draws; a works where it is held
    /// with b in 1/4, with c in 1/5 of them.
    /// </summary>
    [Fact]
    public void Pairs_are_drawn_by_the_probabilities_without_replacement()
    {
        ArchitectureParameters p = new(Alive);
        p[0, 1] = (Math.Log(3), 0, 0);
        p[0, 2] = (Math.Log(4), 0, 0);
        SeededRandom random = new(11);
        int[][][] drawn = [.. Enumerable.Range(0, 20_000).Select(_ => p.Pairs(random))];
        drawn.ShouldAllBe(d => d[0].Length == 2 && d[0][0] != d[0][1] && d[1].SequenceEqual(new[] { 0 }));
        (drawn.Count(d => d[0].Contains(0)) / 20_000.0).ShouldBe(0.325, 0.015);
        int[][] withB = [.. drawn.Select(d => d[0]).Where(x => x.Contains(0) && x.Contains(1))];
        (withB.Count(x => x[0] == 0) / (double)withB.Length).ShouldBe(0.25, 0.03);
        int[][] withC = [.. drawn.Select(d => d[0]).Where(x => x.Contains(0) && x.Contains(2))];
        (withC.Count(x => x[0] == 0) / (double)withC.Length).ShouldBe(0.2, 0.03);
    }

    [Theory]
    [InlineData("two-path", "evidence.kind", "effect")]
    [InlineData("two-path", "prune.when", "sure")]
    public void Effects_are_refused_with_it(string kind, string key, string value)
    {
        string[] sets = [$"sampler.kind={kind}", "evidence.kind=probability", "prune.when=schedule", $"{key}={value}"];
        Should.Throw<UsageException>(() => TestSearches.Config("drawn-12", sets)).Message.ShouldContain(key);
        TestSearches.Config("drawn-12", sets[..3]).Sampler.PassesPerStep.ShouldBe((1, 1));
    }
}
