using Akka.Actor;
using Akka.Persistence;
using Akka.Serialization;

namespace DaNas.SimulationKit;

/// <summary>A snapshot store that has none and keeps none.</summary>
public sealed class NoSnapshots : ReceiveActor
{
    public NoSnapshots()
    {
        Receive<LoadSnapshot>(m => Sender.Tell(new LoadSnapshotResult(null!, m.ToSequenceNr)));
        Receive<SaveSnapshot>(
            m => Sender.Tell(new SaveSnapshotFailure(m.Metadata, new NotSupportedException("snapshots are not simulated"))));
    }
}
