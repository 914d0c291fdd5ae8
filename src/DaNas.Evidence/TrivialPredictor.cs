using System.Text.Json.Serialization;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>A predictor that needs no training, held against the truth: Kendall's tau-b, and what its first choice costs.</summary>
/// <param name="Name">Its name in stored results, from which the bootstrap's seed is derived, so that it never changes.</param>
/// <param name="Tau">Kendall's tau-b against the truth.</param>
/// <param name="Regret">Accuracy that its first choice loses against the best one.</param>
public sealed record TrivialPredictor(string Name, WithInterval Tau, WithInterval Regret)
{
    /// <summary>The name as people read it.</summary>
    [JsonIgnore]
    public string Title => Name == Macs ? "MACs" : Name;

    private const string Macs = "multiply-adds";

    /// <summary>MACs, parameters, synflow and jacobian covariance, as far as the rows have them.</summary>
    public static IReadOnlyList<TrivialPredictor> Of(IReadOnlyList<(
        long Macs, long? Parameters, InitialScores? Initial, double Truth)> rows, long seed)
    {
        List<TrivialPredictor> all = [Held(Macs, r => r.Macs)];
        if (rows.All(r => r.Parameters is not null))
            all.Add(Held("parameters", r => r.Parameters!.Value));
        if (rows.All(r => r.Initial is not null))
            all.AddRange([Held("synflow", r => r.Initial!.LogSynflow), Held("jacobian covariance", r => r.Initial!.JacobianCovariance)]);
        return all;

        TrivialPredictor Held(string name, Func<(long Macs, long? Parameters, InitialScores? Initial, double Truth), double> of)
        {
            double[] x = [.. rows.Select(of)];
            double[] truth = [.. rows.Select(r => r.Truth)];
            return new(name, WithInterval.Of(RankStatistics.KendallTauB, x, truth, SeededRandom.Derive(seed, "trivial", name, "tau")),
                WithInterval.Of(RankStatistics.RegretAtOne, x, truth, SeededRandom.Derive(seed, "trivial", name, "regret")));
        }
    }
}
