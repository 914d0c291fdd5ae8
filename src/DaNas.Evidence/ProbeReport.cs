using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>
/// Whether a space and a recipe have anything to find, from some architectures that were trained several times: how far apart architectures
/// truly are beside how far apart trainings of one are (two-way analysis of variance: trainings of one seed share first weights and order
/// of images, so what a seed does to all of them is no noise), and the ceiling: the rank correlation of two trainings of the same
/// architectures.
/// </summary>
/// <param name="Spread">Standard deviation of true accuracy between architectures, as a fraction; 0 where trainings of one differ as much
/// as those of two.</param>
/// <param name="Noise">Standard deviation of one training of an architecture about what its seed gives all of them.</param>
/// <param name="Ceiling">Kendall's tau-b of the first two trainings.</param>
/// <param name="TrainingsNeeded">Trainings of each architecture whose mean has a ceiling of <see cref="Wanted"/>; null: no spread was
/// seen.</param>
public sealed record ProbeReport(string Name, double Band, double Spread, double Noise, WithInterval Ceiling, int? TrainingsNeeded,
    double SecondsPerTraining, IReadOnlyList<TrivialPredictor> Trivial, IReadOnlyList<ProbeRow> Rows)
{
    /// <summary>Fingerprint of the data that it was trained on; null in tables before 0.4.</summary>
    public string? Data { get; init; }

    /// <summary>
    /// The split that accuracies are of: validation (trained on the weights split) or test (trained on all training images).
    /// </summary>
    public string Split { get; init; } = "validation";

    /// <summary>The ceiling from which on a table of trainings is taken for the truth.</summary>
    public const double Wanted = 0.6;

    /// <summary>Mean of the largest of twenty standard normal values.</summary>
    private const double OneInTwenty = 1.8675;

    /// <summary>
    /// Kendall's tau-b that a perfect predictor reaches with the mean of the trainings, were accuracies normal: 2 / pi x asin(sqrt(r))
    /// where r is the reliability of that mean.
    /// </summary>
    public double PerfectPredictor => Spread == 0 ? 0 : 2 / Math.PI
        * Math.Asin(Math.Sqrt(Spread * Spread / ((Spread * Spread) + (Noise * Noise / Rows[0].Alone.Count))));

    /// <summary>What the best one of twenty has over a random architecture on average, as a fraction, were accuracies normal.</summary>
    public double Gain => OneInTwenty * Spread;

    /// <summary>Trainer-hours until these architectures have a ceiling of <see cref="Wanted"/>; null: no spread was seen.</summary>
    public double? HoursNeeded => TrainingsNeeded * Rows.Count * SecondsPerTraining / 3600;

    public static ProbeReport Of(string name, double band, double secondsPerTraining, IReadOnlyList<ProbeRow> rows, long seed)
    {
        int k = rows[0].Alone.Count;
        double mean = rows.Average(r => r.Mean);
        double[] seeds = [.. Enumerable.Range(0, k).Select(s => rows.Average(r => r.Alone[s]))];
        double within = rows.Sum(r => r.Alone.Select((a, s) => a - r.Mean - seeds[s] + mean).Sum(d => d * d))
            / ((rows.Count - 1) * (k - 1));
        double between = Math.Max(0, (rows.Sum(r => (r.Mean - mean) * (r.Mean - mean)) / (rows.Count - 1)) - (within / k));
        return new(
            name,
            band,
            Math.Round(Math.Sqrt(between), 6),
            Math.Round(Math.Sqrt(within), 6),
            WithInterval.Of(RankStatistics.KendallTauB, [.. rows.Select(r => r.Alone[0])], [.. rows.Select(r => r.Alone[1])],
                SeededRandom.Derive(seed, "probe", "ceiling")),
            between > 0 ? Needed(within / between) : null,
            secondsPerTraining,
            TrivialPredictor.Of([.. rows.Select(r => (r.Macs, (long?)r.Parameters, r.Initial, r.Mean))], seed),
            rows);
    }

    /// <summary>
    /// Means of n trainings correlate with r = 1 / (1 + noise variance / (n x spread variance)), and of two normal variables tau is 2 / pi
    /// x asin(r): the least n whose tau is <see cref="Wanted"/>.
    /// </summary>
    public static int Needed(double noiseToSpread)
    {
        double r = Math.Sin(Math.PI / 2 * Wanted);
        return Math.Max(1, (int)Math.Ceiling((r / (1 - r) * noiseToSpread) - 1e-9));
    }

    /// <summary>What follows, in one sentence.</summary>
    public string Sentence
    {
        get
        {
            string size = Invariant($"architectures differ by {100 * Spread:0.0} points, training runs of the same architecture " +
                $"by {100 * Noise:0.0}");
            string gain = Invariant($"the best of twenty is about {100 * Gain:0.0} points better than a random one");
            string remedy = "a wider search space, a longer recipe or more images are needed";
            if (Spread == 0 || !(Ceiling.Low > 0))
                return $"no significant difference was found among {Rows.Count} architectures: {size}, and two training runs of the same " +
                    $"architectures may agree by chance alone; {remedy}";
            return Ceiling.Value < Wanted
                ? $"there are real differences, but much noise: {size}; {gain}, and a choice based on one training run " +
                    $"each will often miss it"
                : $"there are clear differences: {size}; {gain}";
        }
    }
}
