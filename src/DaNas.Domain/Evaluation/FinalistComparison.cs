using System.Globalization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;

namespace DaNas.Domain.Evaluation;

/// <summary>
/// Whether the supernet's scores chose better finalists than chance (<c>derivation.random</c>): validation accuracies of the first rung,
/// where all of them are trained alike. One whose training failed is in neither mean.
/// </summary>
/// <param name="ByScore">Mean of the finalists that were chosen by score.</param>
/// <param name="Random">Mean of those that were drawn at random.</param>
/// <param name="ScoredMacs">Mean MACs of the former: they may be well under the budget, near which the random ones are.</param>
/// <param name="DrawnMacs">Mean MACs of the latter.</param>
/// <param name="Low">With <paramref name="High"/> the 95 % interval of ByScore less Random (Welch 1947). Not a number where either has
/// fewer than two.</param>
public sealed record FinalistComparison(double ByScore, int Scored, double Random, int Drawn, double ScoredMacs, double DrawnMacs,
    double Low, double High, bool WinnerIsRandom)
{
    /// <summary>
    /// Null where nothing was drawn at random, the first rung is not over, or the supernet chose among the random ones too
    /// (<c>finals.count</c>).
    /// </summary>
    public static FinalistComparison? Of(SearchState state, IEnumerable<SearchEvent> events)
    {
        SearchEvent[] all = [.. events];
        if (state.Selected is not { } selected || all.OfType<SearchEvent.ArchitecturesRanked>().LastOrDefault() is not { } ranked
            || all.OfType<SearchEvent.FinalsOpened>().LastOrDefault(f => f.Rung == 0)?.Finalists.Count < ranked.Ranked.Count)
            return null;
        Dictionary<Architecture, double> first = all.OfType<SearchEvent.FinalistMeasured>()
            .Where(f => Finals.RungOf(f.Run) == 1 && f.Accuracy > 0).ToDictionary(f => f.Architecture, f => f.Accuracy);
        ILookup<bool, RankedArchitecture> measured = ranked.Ranked.Where(r => first.ContainsKey(r.Architecture)).ToLookup(r => r.Random);
        double[] scored = [.. measured[false].Select(r => first[r.Architecture])],
            drawn = [.. measured[true].Select(r => first[r.Architecture])];
        if (scored.Length == 0 || drawn.Length == 0)
            return null;
        (double a, double b) = (SquaredError(scored), SquaredError(drawn));
        // Welch and Satterthwaite's degrees of freedom.
        double degrees = (a + b) * (a + b) / ((a * a / (scored.Length - 1)) + (b * b / (drawn.Length - 1)));
        double half = double.IsFinite(degrees) ? Student.Quantile(0.95, Math.Max(1, (int)degrees)) * Math.Sqrt(a + b) : double.NaN;
        double difference = scored.Average() - drawn.Average();
        return new(
            scored.Average(), scored.Length, drawn.Average(), drawn.Length, measured[false].Average(r => r.Cost.Macs), measured[true]
                .Average(r => r.Cost.Macs), difference - half, difference + half, measured[true]
                .Any(r => r.Architecture == selected.Winner));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Scored} by the supernet's scores {ByScore:0.0000} ({ScoredMacs / 1e6:0.###} million MACs), {Drawn} at random {Random:0.0000} " +
            $"({DrawnMacs / 1e6:0.###}); difference {100 * (ByScore - Random):+0.0;-0.0} " +
            $"points{(double.IsFinite(Low) ? Invariant($" [{100 * Low:0.0}, {100 * High:0.0}]") : string.Empty)}; the winner was " +
            $"{(WinnerIsRandom ? "drawn at random" : "chosen by score")}");

    private static double SquaredError(double[] values)
    {
        double mean = values.Average();
        return values.Length < 2 ? double.NaN : values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1) / values.Length;
    }
}
