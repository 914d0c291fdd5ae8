using System.Globalization;
using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Domain.Evaluation;

/// <summary>
/// Whether the supernet's scores chose better finalists than chance (<c>derivation.random</c>): validation accuracies of the first rung, where all of them are trained alike.
/// </summary>
/// <param name="ByScore">Mean of the finalists that were chosen by score.</param>
/// <param name="Random">Mean of those that were drawn at random.</param>
/// <param name="Low">With <paramref name="High"/> the 95 % interval of ByScore less Random (Welch 1947). Not a number where either has fewer than two.</param>
public sealed record FinalistComparison(double ByScore, int Scored, double Random, int Drawn, double Low, double High, bool WinnerIsRandom)
{
    /// <summary>Null where nothing was drawn at random, or the first rung is not over.</summary>
    public static FinalistComparison? Of(SearchState state, IEnumerable<SearchEvent> events)
    {
        SearchEvent[] all = [.. events];
        if (state.Selected is not { } selected || all.OfType<SearchEvent.ArchitecturesRanked>().LastOrDefault() is not { } ranked)
            return null;
        HashSet<Architecture> random = [.. ranked.Ranked.Where(r => r.Random).Select(r => r.Architecture)];
        SearchEvent.FinalistMeasured[] first = [.. all.OfType<SearchEvent.FinalistMeasured>().Where(f => Finals.RungOf(f.Run) == 1)];
        double[] scored = [.. first.Where(f => !random.Contains(f.Architecture)).Select(f => f.Accuracy)], drawn = [.. first.Where(f => random.Contains(f.Architecture)).Select(f => f.Accuracy)];
        if (scored.Length == 0 || drawn.Length == 0)
            return null;
        (double a, double b) = (SquaredError(scored), SquaredError(drawn));
        // Welch and Satterthwaite's degrees of freedom.
        double degrees = (a + b) * (a + b) / ((a * a / (scored.Length - 1)) + (b * b / (drawn.Length - 1)));
        double half = double.IsFinite(degrees) ? Student.Quantile(0.95, Math.Max(1, (int)degrees)) * Math.Sqrt(a + b) : double.NaN;
        double difference = scored.Average() - drawn.Average();
        return new(scored.Average(), scored.Length, drawn.Average(), drawn.Length, difference - half, difference + half, random.Contains(selected.Winner));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Scored} by the supernet's scores {ByScore:0.0000}, {Drawn} at random {Random:0.0000}; difference {100 * (ByScore - Random):+0.0;-0.0} points{(double.IsFinite(Low) ? string.Create(CultureInfo.InvariantCulture, $" [{100 * Low:0.0}, {100 * High:0.0}]") : string.Empty)}; the winner was {(WinnerIsRandom ? "drawn at random" : "chosen by score")}");

    private static double SquaredError(double[] values)
    {
        double mean = values.Average();
        return values.Length < 2 ? double.NaN : values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1) / values.Length;
    }
}
