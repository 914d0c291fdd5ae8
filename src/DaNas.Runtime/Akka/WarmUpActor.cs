using Akka.Persistence;
using DaNas.Actors.Wire;

namespace DaNas.Runtime.Akka;

/// <summary>
/// Reads nothing from the journal, and stores an event of a writer that nobody ever was, which the fence refuses: so Akka.Persistence.Sql
/// and the data base's driver are loaded and compiled before a coordinator's first takeover, and nothing is left behind.
/// </summary>
internal sealed class WarmUpActor : UntypedPersistentActor
{
    public override string PersistenceId => "danas-warm-up";

    protected override void OnRecover(object message)
    {
        if (message is RecoveryCompleted)
            Persist(new SealedEvent("warm-up/1", "{\"epoch\":0}"u8.ToArray()), _ => Context.Stop(Self));
    }

    protected override void OnCommand(object message)
    {
        // It is told nothing.
    }

    /// <summary>As it should be; Akka stops this actor.</summary>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        // It stops, and nothing is lost.
    }
}
