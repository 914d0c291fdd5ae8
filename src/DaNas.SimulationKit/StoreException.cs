using Akka.Persistence;

namespace DaNas.SimulationKit;

/// <summary>The store failed, as a data base or a disk does.</summary>
public sealed class StoreException(string message) : Exception(message);
