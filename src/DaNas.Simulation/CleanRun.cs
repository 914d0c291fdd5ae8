using DaNas.Domain.Searches;

namespace DaNas.Simulation;

/// <summary>The end of a search without faults, and how many units it took.</summary>
public sealed record CleanRun(SearchState State, int Units);
