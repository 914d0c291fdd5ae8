using DaNas.Domain.SearchSpaces;

namespace DaNas.Domain.Configuration;

/// <summary>The expected-cost term: hinge max(0, E/T - 1) or log-ratio max(0, ln(E/T)).</summary>
public enum CostForm
{
    Hinge,
    LogRatio,
}

/// <summary>The budget: an absolute target, or a fraction between the cheapest (0) and the dearest (1) architecture.</summary>
public sealed record CostOptions(long TargetMacs, double TargetFraction, double Lambda, CostForm Form, bool NormaliseLoss)
{
    /// <summary>Milliseconds that an architecture may take by <see cref="Latency"/>, beside the MACs; 0: no such bound.</summary>
    public double TargetMilliseconds { get; init; }

    public LatencyTable? Latency { get; init; }

    internal static CostOptions Read(ConfigSection s) => new(
        s.Long("target-macs", 0, long.MaxValue), s.Number("target-fraction", 0, 1), s.Number("lambda", 0, 1000), s.OneOf<CostForm>("form"),
            s.Flag("normalise-loss"))
    {
        TargetMilliseconds = s.Has("target-milliseconds") ? s.Number("target-milliseconds", 0, 1e6) : 0,
        Latency = LatencyTable.Read(s),
    };
}
