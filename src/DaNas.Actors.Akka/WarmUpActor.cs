using Akka.Persistence;

namespace DaNas.Actors.Akka;

/// <summary>Reads nothing from the journal, once, so that Akka.Persistence.Sql and the data base's driver are loaded before a coordinator's first takeover.</summary>
internal sealed class WarmUpActor : UntypedPersistentActor
{
    public override string PersistenceId => "danas-warm-up";

    protected override void OnRecover(object message)
    {
        if (message is RecoveryCompleted)
            Context.Stop(Self);
    }

    protected override void OnCommand(object message)
    {
        // It is told nothing.
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        // It stops, and nothing is lost.
    }
}
