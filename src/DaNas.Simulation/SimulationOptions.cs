using DaNas.Actors.Logging;

namespace DaNas.Simulation;

/// <summary>How a seed is run.</summary>
/// <param name="Plant">A defect on purpose.</param>
/// <param name="Log">Where the actors' lines go; null: nowhere.</param>
/// <param name="Only">The numbers of the faults that come; null: all that are drawn.</param>
public sealed record SimulationOptions(Plant Plant = Plant.None, IStateLog? Log = null, IReadOnlyCollection<int>? Only = null);
