using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>
/// The gaps between what a search sees and what is true (the protocol of Xie et al. 2020, arXiv 2008.01475, as docs/method.md reconstructs
/// it):
/// training (shared against own weights), discretisation (the mixed supernet against the derived path), setting (a short recipe against the
/// whole one).
/// </summary>
public sealed record GapReport(
    string Search,
    int Architectures,
    WithInterval Ceiling,
    WithInterval Tau,
    WithInterval Spearman,
    WithInterval Pearson,
    double LevelGap,
    IReadOnlyList<KeyValuePair<int, WithInterval>> TopOverlap,
    WithInterval RegretAtOne,
    double RegretOfRandomPick,
    double? MixedAccuracy,
    double? SampledAccuracy,
    double? DerivedAccuracy,
    int HeldOutImages,
    double? MeanEntropy,
    WithInterval? TauOfSetting,
    double? WinnerOverRandom,
    IReadOnlyList<GapRow> Rows)
{
    /// <summary>
    /// Under this rank correlation of two single trainings there is hardly anything to rank. A predictor is held against their mean, so a
    /// perfect one can reach somewhat more.
    /// </summary>
    public const double LeastCeiling = 0.4;

    private static readonly int[] Tops = [1, 3, 5];

    public bool HasSignal => Ceiling.Value >= LeastCeiling;

    /// <summary>Predictors that need no training.</summary>
    public IReadOnlyList<TrivialPredictor> Trivial { get; init; } = [];

    /// <summary>Mixed supernet less derived path, both with the supernet's weights.</summary>
    public double? DiscretisationGap => MixedAccuracy - DerivedAccuracy;

    /// <summary>
    /// The same with the normal interval of two proportions on the held-out images, taken as independent (they are the same images, so it
    /// is too wide).
    /// </summary>
    public WithInterval? Discretisation => MixedAccuracy is { } m && DerivedAccuracy is { } d && HeldOutImages > 0
        ? Around(m - d, 1.96 * Math.Sqrt(((m * (1 - m)) + (d * (1 - d))) / HeldOutImages))
        : null;

    /// <summary>The report of a truth table; the measurements of the supernet itself are laid in by whoever has it.</summary>
    public static GapReport Of(string search, IReadOnlyList<GapRow> rows, long seed)
    {
        double[] truth = [.. rows.Select(r => r.Truth)];
        double[] supernet = [.. rows.Select(r => r.Supernet)];
        WithInterval ceiling = rows[0].Alone.Count < 2
            ? new(double.NaN, double.NaN, double.NaN)
            : WithInterval.Of(RankStatistics.KendallTauB, [.. rows.Select(r => r.Alone[0])], [.. rows.Select(r => r.Alone[1])],
                SeededRandom.Derive(seed, "gap", "ceiling"));
        WithInterval Quoted(Func<double[], double[], double> of, double[] x, string name) =>
            WithInterval.Of(of, x, truth, SeededRandom.Derive(seed, "gap", name));
        return new(
            search,
            rows.Count,
            ceiling,
            Quoted(RankStatistics.KendallTauB, supernet, "tau"),
            Quoted(RankStatistics.Spearman, supernet, "spearman"),
            Quoted(RankStatistics.Pearson, supernet, "pearson"),
            truth.Average() - supernet.Average(),
            [.. Tops.Where(k => k <= rows.Count).Select(k => KeyValuePair.Create(k, WithInterval.Of(
                (x, y) => RankStatistics.TopOverlap(x, y, k), supernet, truth, SeededRandom.Derive(seed, "gap", "top", k))))],
            WithInterval.Of(RankStatistics.RegretAtOne, supernet, truth, SeededRandom.Derive(seed, "gap", "regret")),
            truth.Max() - truth.Average(),
            null,
            null,
            null,
            0,
            null,
            rows.All(r => r.ShortAlone is not null) ? Quoted(
                RankStatistics.KendallTauB, [.. rows.Select(r => r.ShortAlone!.Value)], "setting") : null,
            null,
            rows)
        {
            Trivial = TrivialPredictor.Of([.. rows.Select(r => (r.Macs, r.Parameters, r.Initial, r.Truth))], seed),
        };
    }

    private static WithInterval Around(double value, double half) => new(value, value - half, value + half);
}
