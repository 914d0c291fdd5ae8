using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Work;

namespace DaNas.Domain.Estimates;

/// <summary>One phase of a search before it runs: what it is, its units and its work.</summary>
public sealed record PhaseEstimate(string Phase, int Classes, long Units, UnitCost Cost)
{
    /// <summary>Whether the phase may end earlier.</summary>
    public bool AtMost { get; init; }
}
