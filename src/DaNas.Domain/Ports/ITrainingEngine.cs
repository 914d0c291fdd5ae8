using DaNas.Domain.Work;

namespace DaNas.Domain.Ports;

/// <summary>Runs work units: TorchSharp or libtorch in a process of its own, a table, a simulation.</summary>
public interface ITrainingEngine
{
    /// <summary>Runs one unit at a time. Never throws for a fault of the unit.</summary>
    Task<UnitOutcome> RunAsync(WorkUnit unit, CancellationToken cancellation);
}
