using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>One architecture of the truth table: multiply-adds, accuracy with the supernet's weights, and test accuracies from scratch, one a seed.</summary>
public sealed record GapRow(string Architecture, long Macs, double Supernet, ValueList<double> Alone, double? ShortAlone)
{
    public double Truth => Alone.Average();

    public long? Parameters { get; init; }
}

/// <summary>A statistic with the 95 % interval of a bootstrap over architectures (1,000 resamples).</summary>
public sealed record WithInterval(double Value, double Low, double High)
{
    public string Text => FormattableString.Invariant($"{Value:0.00} [{Low:0.00}, {High:0.00}]");
}

/// <summary>
/// The gaps between what a search sees and what is true (the protocol of Xie et al. 2020, arXiv 2008.01475, as docs/method.md reconstructs it):
/// training (shared against own weights), discretisation (the mixed supernet against the derived path), setting (a short recipe against the whole one).
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
    WithInterval TauOfMacs,
    double? MixedAccuracy,
    double? SampledAccuracy,
    double? DerivedAccuracy,
    int HeldOutImages,
    double? MeanEntropy,
    WithInterval? TauOfSetting,
    double? WinnerOverRandom,
    IReadOnlyList<GapRow> Rows)
{
    /// <summary>Under this rank correlation of two single trainings there is hardly anything to rank. A predictor is held against their mean, so a perfect one can reach somewhat more.</summary>
    public const double LeastCeiling = 0.4;

    private const int Resamples = 1000;

    private static readonly int[] Tops = [1, 3, 5];

    public bool HasSignal => Ceiling.Value >= LeastCeiling;

    /// <summary>Kendall's tau-b of the number of parameters with the truth; null in reports before 0.4.</summary>
    public WithInterval? TauOfParameters { get; init; }

    /// <summary>What choosing the most multiply-adds costs: the predictor that needs no training.</summary>
    public WithInterval? RegretOfMacs { get; init; }

    /// <summary>The same of the most parameters.</summary>
    public WithInterval? RegretOfParameters { get; init; }

    /// <summary>Mixed supernet less derived path, both with the supernet's weights.</summary>
    public double? DiscretisationGap => MixedAccuracy - DerivedAccuracy;

    /// <summary>The same with the normal interval of two proportions on the held-out pictures, taken as independent (they are the same pictures, so it is too wide).</summary>
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
            : Interval(RankStatistics.KendallTauB, [.. rows.Select(r => r.Alone[0])], [.. rows.Select(r => r.Alone[1])], SeededRandom.Derive(seed, "gap", "ceiling"));
        WithInterval Quoted(Func<double[], double[], double> of, double[] x, string name) => Interval(of, x, truth, SeededRandom.Derive(seed, "gap", name));
        double[] macs = [.. rows.Select(r => (double)r.Macs)];
        double[]? parameters = rows.All(r => r.Parameters is not null) ? [.. rows.Select(r => (double)r.Parameters!)] : null;
        return new(
            search,
            rows.Count,
            ceiling,
            Quoted(RankStatistics.KendallTauB, supernet, "tau"),
            Quoted(RankStatistics.Spearman, supernet, "spearman"),
            Quoted(RankStatistics.Pearson, supernet, "pearson"),
            truth.Average() - supernet.Average(),
            [.. Tops.Where(k => k <= rows.Count).Select(k => KeyValuePair.Create(k, Interval((x, y) => RankStatistics.TopOverlap(x, y, k), supernet, truth, SeededRandom.Derive(seed, "gap", "top", k))))],
            Interval(RankStatistics.RegretAtOne, supernet, truth, SeededRandom.Derive(seed, "gap", "regret")),
            truth.Max() - truth.Average(),
            Quoted(RankStatistics.KendallTauB, macs, "macs"),
            null,
            null,
            null,
            0,
            null,
            rows.All(r => r.ShortAlone is not null) ? Quoted(RankStatistics.KendallTauB, [.. rows.Select(r => r.ShortAlone!.Value)], "setting") : null,
            null,
            rows)
        {
            TauOfParameters = parameters is null ? null : Quoted(RankStatistics.KendallTauB, parameters, "parameters"),
            RegretOfMacs = Quoted(RankStatistics.RegretAtOne, macs, "regret-macs"),
            RegretOfParameters = parameters is null ? null : Quoted(RankStatistics.RegretAtOne, parameters, "regret-parameters"),
        };
    }

    private static WithInterval Around(double value, double half) => new(value, value - half, value + half);

    private static WithInterval Interval(Func<double[], double[], double> of, double[] x, double[] y, long seed)
    {
        (double low, double high) = Significance.Bootstrap(x.Length, drawn => of([.. drawn.Select(i => x[i])], [.. drawn.Select(i => y[i])]), Resamples, seed);
        return new(of(x, y), low, high);
    }
}
