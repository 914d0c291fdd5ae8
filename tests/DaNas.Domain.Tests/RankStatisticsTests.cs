using DaNas.Domain.Evaluation;

namespace DaNas.Domain.Tests;

/// <summary>Against values that can be counted by hand, and the definitions of Kendall (1945) and Spearman (1904).</summary>
public sealed class RankStatisticsTests
{
    private static readonly double[] Up = [1, 2, 3, 4, 5];

    [Fact]
    public void The_same_order_is_one_the_opposite_minus_one_and_no_order_is_no_number()
    {
        RankStatistics.KendallTauB(Up, Up).ShouldBe(1);
        RankStatistics.KendallTauB(Up, [5, 4, 3, 2, 1]).ShouldBe(-1);
        RankStatistics.Spearman(Up, [10, 20, 30, 40, 500]).ShouldBe(1, 1e-12);
        RankStatistics.Pearson(Up, [10, 20, 30, 40, 500]).ShouldBeLessThan(0.8);
        RankStatistics.KendallTauB(Up, [7, 7, 7, 7, 7]).ShouldBe(double.NaN);
        Should.Throw<ArgumentException>(() => RankStatistics.KendallTauB(Up, [1]));
    }

    [Fact]
    public void Ties_count_as_the_definitions_say()
    {
        // Pairs: 10; tied in x: (2,2); in y: (1,1) and (3,3). Concordant 7, discordant 0: 7 / sqrt(9 * 8).
        RankStatistics.KendallTauB([1, 2, 2, 3, 4], [1, 1, 3, 3, 5]).ShouldBe(7 / Math.Sqrt(9 * 8), 1e-12);
        // Ranks 0 1.5 1.5 3 4 and 0.5 0.5 2.5 2.5 4.
        RankStatistics.Spearman([1, 2, 2, 3, 4], [1, 1, 3, 3, 5])
            .ShouldBe(RankStatistics.Pearson([0, 1.5, 1.5, 3, 4], [0.5, 0.5, 2.5, 2.5, 4]), 1e-12);
    }

    [Fact]
    public void What_choosing_by_a_predictor_costs()
    {
        double[] truth = [0.90, 0.92, 0.88, 0.95];
        RankStatistics.RegretAtOne([1, 5, 2, 3], truth).ShouldBe(0.03, 1e-12);
        RankStatistics.RegretAtOne([1, 2, 3, 4], truth).ShouldBe(0);
        RankStatistics.TopOverlap([1, 5, 2, 3], truth, 2).ShouldBe(1);
        RankStatistics.TopOverlap([5, 1, 4, 2], truth, 2).ShouldBe(0);
        RankStatistics.TopOverlap(Up, Up, 9).ShouldBe(double.NaN);
    }
}
