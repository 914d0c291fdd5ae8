using Akka.Actor;

namespace DaNas.Actors.Logging;

/// <summary>
/// Akka's one-for-one supervision, ten times a minute at most where nothing else is said; each failure is a line of the log.
/// </summary>
public class SaidStrategy(Func<Exception, Directive> decide, int most = SaidStrategy.Most) : OneForOneStrategy(
    most, TimeSpan.FromMinutes(1), decide)
{
    /// <summary>Failures of one actor that are borne.</summary>
    public const int Most = 10;

    /// <summary>Whether the child comes back; asked once a failure.</summary>
    protected virtual bool GoesOn(Directive directive) => directive == Directive.Restart;

    protected override void LogFailure(IActorContext context, IActorRef child, Exception cause, Directive directive)
    {
        if (directive == Directive.Escalate)
            return; // Whoever decides says it.
        Exception first = (cause as ActorInitializationException)?.InnerException ?? cause;
        bool restarts = GoesOn(directive);
        context.Write(new StateChange(restarts ? LogEvent.ActorRestarted : LogEvent.ActorFailed, "Faulted", restarts
            ? "Restarting" : "Ended")
        { Cause = $"{child.Text()}: {first.GetType().Name}: {first.Message}", IsWarning = true });
    }
}
