using DaNas.Actors.Logging;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>
/// Keeps the read model up to date: steps over the journal as long as there is something new, then looks every half second. Several may run at once;
/// a row and how far it reaches are written together, and only forwards.
/// </summary>
public sealed class ProjectionActor : IActor
{
    public const string Name = "projection";

    /// <summary>The port that does one step.</summary>
    public const string Port = "projection";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly HashSet<string> refused = new(StringComparer.Ordinal);
    private bool away;

    public void Started(IActorContext context) => context.Run(Port, new Step());

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case LookTick:
                context.Run(Port, new Step());
                break;
            case PortReply { Reply: Stepped done }:
                if (away)
                    context.Log(new StateChange(LogEvent.ProjectionBack, "Waiting", "Following") { IsWarning = true });
                away = false;
                foreach (RefusedJournal each in done.Refused.Where(r => refused.Add(r.Search)))
                    context.Log(new StateChange(LogEvent.ProjectionRefused, "Following", "Refused") { Search = each.Search, Cause = each.Reason, IsWarning = true });
                if (done.Events > 0)
                    context.Run(Port, new Step());
                else
                    context.StartTimer("look", Look, new LookTick());
                break;
            case PortReply failed:
                if (!away)
                    context.Log(new StateChange(LogEvent.ProjectionLost, "Following", "Waiting") { Cause = failed.Failure, IsWarning = true });
                away = true;
                context.StartTimer("look", Look, new LookTick());
                break;
        }
    }

    /// <summary>Project what is new, a bounded amount of it. Reply: <see cref="Stepped"/>.</summary>
    public sealed record Step;

    public sealed record Stepped(long Events, ValueList<RefusedJournal> Refused);

    public sealed record RefusedJournal(string Search, string Reason);

    private sealed record LookTick;
}
