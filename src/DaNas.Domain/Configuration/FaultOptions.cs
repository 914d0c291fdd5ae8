namespace DaNas.Domain.Configuration;

/// <summary>What happens to a unit that fails by its own fault as often as it may.</summary>
public enum PoisonAction
{
    Quarantine,
    Stop,
}

/// <summary>What happens when training diverges.</summary>
public enum DivergenceAction
{
    RollBack,
    Stop,
}

/// <summary>
/// Poison units and divergence. <paramref name="LossLimit"/>: a round diverged when its mean loss exceeds this many times log(classes);
/// <paramref name="RollBacks"/>: of one stage, before blocks are probed.
/// </summary>
public sealed record FaultOptions(PoisonAction Poison, int ProbeSets, int ProbeSteps, DivergenceAction Divergence, double LossLimit,
    int RollBacks, double RateFactor)
{
    internal static FaultOptions Read(ConfigSection s) => new(
        s.OneOf<PoisonAction>("poison"),
        s.Int("probe-sets", 2, 100),
        s.Int("probe-steps", 1, 1000),
        s.OneOf<DivergenceAction>("divergence"),
        s.Number("loss-limit", 1, 1e6),
        s.Int("roll-backs", 0, 100),
        s.Number("rate-factor", 0.001, 1));
}
