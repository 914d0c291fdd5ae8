using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;

namespace DaNas.Domain.Architectures;

/// <summary>What an architecture may cost: MACs, and milliseconds by a table where there is such a bound.</summary>
public sealed record ArchitectureBudget(long Macs, double Milliseconds, LatencyTable? Latency)
{
    public static ArchitectureBudget Of(SearchSpace space, CostOptions options) => options.TargetMilliseconds > 0
        ? new(SearchState.BudgetOf(space, options), options.TargetMilliseconds, options.Latency)
        : OfMacs(SearchState.BudgetOf(space, options));

    /// <summary>Whether an architecture keeps both bounds.</summary>
    public bool Allows(CostTable costs, Architecture architecture) =>
        costs.Of(architecture).Macs <= Macs && !(Latency?.Of(architecture) > Milliseconds);

    public static ArchitectureBudget OfMacs(long macs) => new(macs, double.PositiveInfinity, null);
}
