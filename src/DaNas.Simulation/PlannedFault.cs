namespace DaNas.Simulation;

/// <summary>One fault of a plan: its number, when it comes, and what it is.</summary>
public sealed record PlannedFault(int Number, TimeSpan At, string Kind)
{
    public override string ToString() => Invariant($"{At:hh\\:mm\\:ss\\.fff} {Kind}");
}
