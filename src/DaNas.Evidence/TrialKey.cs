namespace DaNas.Evidence;

/// <summary>Which trial of which experiment, and the SHA-256 of what was asked for.</summary>
public sealed record TrialKey(string Experiment, string Arm, long Seed, string Settings)
{
    public string Name => Invariant($"{Experiment}-{Arm}-s{Seed}");
}
