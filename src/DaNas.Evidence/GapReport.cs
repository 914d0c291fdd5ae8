using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>One architecture of the truth table: multiply-adds, accuracy with the supernet's weights, and accuracies from scratch, one a seed (of the test split, or of the split of a given table).</summary>
public sealed record GapRow(string Architecture, long Macs, double Supernet, ValueList<double> Alone, double? ShortAlone)
{
    public double Truth => Alone.Average();

    public long? Parameters { get; init; }

    /// <summary>What the untrained network told; null in reports before 0.4.</summary>
    public InitialScores? Initial { get; init; }
}

/// <summary>A predictor that needs no training, held against the truth: Kendall's tau-b, and what its first choice costs.</summary>
public sealed record TrivialPredictor(string Name, WithInterval Tau, WithInterval Regret)
{
    /// <summary>Multiply-adds, parameters, synflow and jacobian covariance, as far as the rows have them.</summary>
    public static IReadOnlyList<TrivialPredictor> Of(IReadOnlyList<(long Macs, long? Parameters, InitialScores? Initial, double Truth)> rows, long seed)
    {
        List<TrivialPredictor> all = [Held("multiply-adds", r => r.Macs)];
        if (rows.All(r => r.Parameters is not null))
            all.Add(Held("parameters", r => r.Parameters!.Value));
        if (rows.All(r => r.Initial is not null))
            all.AddRange([Held("synflow", r => r.Initial!.LogSynflow), Held("jacobian covariance", r => r.Initial!.JacobianCovariance)]);
        return all;

        TrivialPredictor Held(string name, Func<(long Macs, long? Parameters, InitialScores? Initial, double Truth), double> of)
        {
            double[] x = [.. rows.Select(of)];
            double[] truth = [.. rows.Select(r => r.Truth)];
            return new(name, WithInterval.Of(RankStatistics.KendallTauB, x, truth, SeededRandom.Derive(seed, "trivial", name, "tau")), WithInterval.Of(RankStatistics.RegretAtOne, x, truth, SeededRandom.Derive(seed, "trivial", name, "regret")));
        }
    }
}

/// <summary>A statistic with the 95 % interval of a bootstrap (1,000 resamples), over architectures or over seeds.</summary>
public sealed record WithInterval(double Value, double Low, double High)
{
    private const int Resamples = 1000;

    private const int LeastSeeds = 5;

    public string Text => FormattableString.Invariant($"{Value:0.00} [{Low:0.00}, {High:0.00}]");

    public static WithInterval Of(Func<double[], double[], double> of, double[] x, double[] y, long seed)
    {
        (double low, double high) = Significance.Bootstrap(x.Length, drawn => of([.. drawn.Select(i => x[i])], [.. drawn.Select(i => y[i])]), Resamples, seed);
        return new(of(x, y), low, high);
    }

    /// <summary>A statistic over seeds as text, with its 95 % interval from five seeds on: fewer have too few different resamples.</summary>
    public static string OverSeeds(int seeds, Func<int[], double> of, string stream)
    {
        double value = of([.. Enumerable.Range(0, seeds)]);
        if (seeds < LeastSeeds)
            return FormattableString.Invariant($"{value:0.00}");
        (double low, double high) = Significance.Bootstrap(seeds, of, Resamples, SeededRandom.Derive(1, stream));
        return new WithInterval(value, low, high).Text;
    }
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

    private static readonly int[] Tops = [1, 3, 5];

    public bool HasSignal => Ceiling.Value >= LeastCeiling;

    /// <summary>Predictors that need no training.</summary>
    public IReadOnlyList<TrivialPredictor> Trivial { get; init; } = [];

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
            : WithInterval.Of(RankStatistics.KendallTauB, [.. rows.Select(r => r.Alone[0])], [.. rows.Select(r => r.Alone[1])], SeededRandom.Derive(seed, "gap", "ceiling"));
        WithInterval Quoted(Func<double[], double[], double> of, double[] x, string name) => WithInterval.Of(of, x, truth, SeededRandom.Derive(seed, "gap", name));
        return new(
            search,
            rows.Count,
            ceiling,
            Quoted(RankStatistics.KendallTauB, supernet, "tau"),
            Quoted(RankStatistics.Spearman, supernet, "spearman"),
            Quoted(RankStatistics.Pearson, supernet, "pearson"),
            truth.Average() - supernet.Average(),
            [.. Tops.Where(k => k <= rows.Count).Select(k => KeyValuePair.Create(k, WithInterval.Of((x, y) => RankStatistics.TopOverlap(x, y, k), supernet, truth, SeededRandom.Derive(seed, "gap", "top", k))))],
            WithInterval.Of(RankStatistics.RegretAtOne, supernet, truth, SeededRandom.Derive(seed, "gap", "regret")),
            truth.Max() - truth.Average(),
            null,
            null,
            null,
            0,
            null,
            rows.All(r => r.ShortAlone is not null) ? Quoted(RankStatistics.KendallTauB, [.. rows.Select(r => r.ShortAlone!.Value)], "setting") : null,
            null,
            rows)
        {
            Trivial = TrivialPredictor.Of([.. rows.Select(r => (r.Macs, r.Parameters, r.Initial, r.Truth))], seed),
        };
    }

    private static WithInterval Around(double value, double half) => new(value, value - half, value + half);
}
