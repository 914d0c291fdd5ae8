using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>What came of one seed.</summary>
public sealed record SimulationResult(long Seed, IReadOnlyList<string> Violations, int Units, int Events, int Faults,
    long Messages, TimeSpan Virtual)
{
    public bool Good => Violations.Count == 0;

    /// <summary>Equal for equal histories; 0 where it is not counted.</summary>
    public ulong History { get; init; }

    /// <summary>Messages handled, between processes or within one.</summary>
    public long Turns { get; init; }

    /// <summary>The faults that were drawn.</summary>
    public IReadOnlyList<PlannedFault> Plan { get; init; } = [];
}
