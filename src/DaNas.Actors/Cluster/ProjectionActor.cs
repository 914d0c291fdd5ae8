using Akka.Actor;
using DaNas.Actors.Logging;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>
/// Keeps the read model up to date: steps over the journal as long as there is something new, then looks every half second. Several may run
/// at once; a row and how far it reaches are written together, and only forwards.
/// </summary>
public sealed class ProjectionActor : LoggedActor, IWithTimers
{
    public const string Name = "projection";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly ClusterPorts.Port port;
    private readonly HashSet<string> refused = new(StringComparer.Ordinal);
    private bool away;

    /// <summary><paramref name="port"/> does one <see cref="Step"/>.</summary>
    public ProjectionActor(ClusterPorts.Port port)
    {
        this.port = port;
        Receive<LookTick>(_ => Go());
        Receive<ClusterPorts.Replied>(m => m.Reply is Stepped, m => Did((Stepped)m.Reply!));
        Receive<ClusterPorts.Replied>(m =>
        {
            if (!away)
                Context.Write(new StateChange(LogEvent.ProjectionLost, "Following", "Waiting") { Cause = m.Failure, IsWarning = true });
            away = true;
            LookLater();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Go();

    private void Go() => port.Run(new Step(), Self);

    private void LookLater() => Timers.StartSingleTimer("look", new LookTick(), Look);

    private void Did(Stepped done)
    {
        if (away)
            Context.Write(new StateChange(LogEvent.ProjectionBack, "Waiting", "Following") { IsWarning = true });
        away = false;
        foreach (RefusedJournal each in done.Refused.Where(r => refused.Add(r.Search)))
            Context.Write(new StateChange(LogEvent.ProjectionRefused, "Following", "Refused")
            {
                Search = each.Search,
                Cause = each.Reason,
                IsWarning = true
            });
        if (done.Events > 0)
            Go();
        else
            LookLater();
    }

    public static Props PropsOf(ClusterPorts.Port port) => Props.Create(() => new ProjectionActor(port));

    /// <summary>Project what is new, a bounded amount of it. Reply: <see cref="Stepped"/>.</summary>
    public sealed record Step;

    public sealed record Stepped(long Events, ValueList<RefusedJournal> Refused);

    public sealed record RefusedJournal(string Search, string Reason);

    private sealed record LookTick;
}
