using System.Text.Json.Serialization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Torch;

namespace DaNas.Reports;

/// <summary>One architecture: its two measurements, and what a table predicts.</summary>
internal sealed record LatencyRow(string Architecture, long Macs, Latency First, Latency Second, double? Predicted);

/// <summary>
/// Latencies measured in two passes, the architectures of a pass interleaved so that a slow moment of the machine hits all of them; the
/// passes grow until they order the architectures alike.
/// </summary>
internal sealed record LatencyReport(IReadOnlyList<LatencyRow> Rows, int Repeats, double? TauOfPasses, double? TauOfMacs,
    double? TauOfPrediction, double? MeanErrorOfPrediction)
{
    /// <summary>Below this, no number is worth quoting.</summary>
    public const double Believed = 0.8;

    /// <summary>Below this, and where medians differ, the passes are made longer (twice as long, three times at most).</summary>
    private const double Wanted = 0.9;

    /// <summary>Medians of two passes that differ by less are the same number.</summary>
    private const double Alike = 0.05;

    private const int Rounds = 4;

    /// <summary>
    /// Two passes order the architectures alike, or (one alone, or near-ties) their medians differ by less than a twentieth.
    /// </summary>
    public bool IsRepeatable => TauOfPasses >= Believed || Rows.All(r => IsAlike(r.First, r.Second));

    /// <summary>Whether the rounds agree, in sentences.</summary>
    [JsonIgnore]
    public IEnumerable<string> Sentences
    {
        get
        {
            if (Rows.Count > 1)
            {
                string verdict = IsRepeatable ? "repeatable"
                    : Invariant($"NOT repeatable (below {LatencyReport.Believed}, and medians differ by more than 5 " +
                        $"%); reduce the load on " +
                        $"the machine or raise --repeats before relying on these numbers");
                yield return Invariant($"the rankings of the two rounds agree with Kendall tau {TauOfPasses:0.000}: {verdict}; " +
                    $"the ranking by MACs agrees with {TauOfMacs:0.000}");
            }
            else if (!IsRepeatable)
                yield return "the two rounds differ by more than 5 %: NOT repeatable; reduce the load on the machine or raise --repeats " +
                    "before relying on these numbers";
            if (TauOfPrediction is { } tau && Rows.Count > 1)
                yield return Invariant($"the ranking by sums of blocks agrees with {tau:0.000}; mean error {MeanErrorOfPrediction:P1} of " +
                        $"the measured latency");
        }
    }

    /// <summary>Measures; with a table, also says how well the sums of its blocks predict.</summary>
    public static LatencyReport Of(SearchSpace space, IReadOnlyList<Architecture> architectures, LatencySetup setup,
        Func<Architecture, double>? predict, Action<string>? said = null)
    {
        CostTable costs = CostTable.Of(space);
        for (int widened = 0; ; widened++)
        {
            LatencyMeter meter = new(space, setup with { Repeats = setup.Repeats << widened });
            Latency[] first = Pass(meter, architectures), second = Pass(meter, architectures);
            double? tau = Finite(RankStatistics.KendallTauB([.. first.Select(l => l.Median)], [.. second.Select(l => l.Median)]));
            if (!(tau >= Wanted || first.Zip(second, IsAlike).All(alike => alike)) && widened < 3)
            {
                said?.Invoke(
                    Invariant($"the two rounds of {setup.Repeats << widened} passes disagree (tau {tau:0.00}): repeating with " +
                        $"twice as many passes"));
                continue;
            }

            double[] measured = [.. first.Zip(second, (a, b) => (a.Median + b.Median) / 2)];
            double[]? predicted = predict is null ? null : [.. architectures.Select(predict)];
            return new(
                [.. architectures.Select((a, i) => new LatencyRow(a.Text, costs.Of(a).Macs, first[i], second[i], predicted?[i]))],
                setup.Repeats << widened,
                tau,
                Finite(RankStatistics.KendallTauB([.. architectures.Select(a => (double)costs.Of(a).Macs)], measured)),
                predicted is null ? null : Finite(RankStatistics.KendallTauB(predicted, measured)),
                predicted?.Zip(measured, (p, m) => Math.Abs(p - m) / m).Average());
        }
    }

    private static bool IsAlike(Latency first, Latency second) => Math.Abs(first.Median - second.Median) <= Alike * first.Median;

    /// <summary>Nothing where there is nothing to order.</summary>
    internal static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static Latency[] Pass(LatencyMeter meter, IReadOnlyList<Architecture> architectures)
    {
        List<double>[] times = [.. architectures.Select(_ => new List<double>())];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < times.Length; i++)
                times[i].AddRange(meter.Times(architectures[i], Rounds));
        }

        return [.. times.Select(Latency.Of)];
    }
}
