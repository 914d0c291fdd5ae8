using Akka.Actor;

namespace DaNas.Actors.Logging;

/// <summary>
/// An actor whose last line says that it stopped: not when it is restarted, which its supervisor says (<see cref="SaidStrategy"/>).
/// </summary>
public abstract class LoggedActor : ReceiveActor
{
    private bool restarts;

    protected override void PreRestart(Exception reason, object message)
    {
        restarts = true;
        base.PreRestart(reason, message);
    }

    protected override void PostStop()
    {
        if (!restarts)
            Context.WriteStopped();
    }
}
