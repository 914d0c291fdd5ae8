using Akka.Persistence;

namespace DaNas.SimulationKit;

/// <summary>A batch of rows on its way to the store.</summary>
public sealed record Append(SimulatedNode From, string PersistenceId, IReadOnlyList<StoredRow> Rows);
