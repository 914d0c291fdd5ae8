using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;

namespace DaNas.Domain.Estimates;

/// <summary>How many architectures random search can hold finals among for the cost of another search.</summary>
public static class EqualCost
{
    /// <summary>What <c>derivation.candidates</c> may be.</summary>
    public const int Most = 1000;

    /// <summary>
    /// The most candidates, from 2 to <see cref="Most"/>, whose finals cost no more than so many MACs, a backward pass counted as two
    /// forward passes. Every candidate is taken to cost what the band of strategy random-search is centred on.
    /// </summary>
    public static int Candidates(SearchConfig config, DatasetSummary data, double weightedMacs)
    {
        double macs = SearchState.BudgetOf(config.SpaceFor(data.Classes.Count), config.Cost) / (1 + config.Controls.Tolerance);
        return Enumerable.Range(3, Most - 2).TakeWhile(n => Images(config, data, n) * macs <= weightedMacs).DefaultIfEmpty(2).Last();
    }

    private static double Images(SearchConfig config, DatasetSummary data, int candidates) => Enumerable.Range(0, config.Finals.Rungs)
        .Select(rung => (Rung: rung, Runs: Finals.Finalists(candidates, config.Finals, rung)))
        .TakeWhile(r => r.Runs > 1)
        .Sum(r => r.Runs * ((3.0 * Finals.Steps(config, data, r.Rung) * config.Retrain.Batch) + data.Validation.Sum(n => (long)n)));
}
