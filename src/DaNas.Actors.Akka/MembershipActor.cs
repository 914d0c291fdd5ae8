using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using DaNas.Actors.Logging;
using AkkaCluster = Akka.Cluster.Cluster;

namespace DaNas.Actors.Akka;

/// <summary>
/// On every node: tells who leads, if this one does, and hears it. Repeated each second, since any message may be lost, and by every coordinator, to those whom it
/// holds for members: Akka does not tell a node that was cut off, and taken for lost, that it was.
/// </summary>
internal sealed class MembershipActor(AkkaHost host) : UntypedActor, IWithTimers
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private long? leading;
    private long heard;

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        AkkaCluster.Get(Context.System).Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
        Timers.StartPeriodicTimer("tick", TickNow.Instance, Tick);
    }

    protected override void PostStop() => AkkaCluster.Get(Context.System).Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case TickNow:
                foreach (Member member in host.Reachable(null))
                    Announce(member);
                break;
            case ClusterEvent.MemberUp up:
                Announce(up.Member);
                break;
            case ClusterEvent.MemberWeaklyUp up:
                Announce(up.Member);
                break;
            case Leading m:
                leading = m.Epoch;
                if (m.Epoch is { } mine)
                    Hear(host.Name, mine);
                foreach (Member member in host.Reachable(null))
                    Announce(member);
                break;
            case Leads m when host.AddressOf(Sender) is { Host: { Length: > 0 } from }:
                host.HeardAt = Stopwatch.GetTimestamp();
                if (m.Epoch != Leads.Nobody)
                    Hear(from, m.Epoch);
                break;
            case ThisActorSystemQuarantinedEvent m:
                host.Die($"{m.RemoteAddress.Host}:{m.RemoteAddress.Port} took this node for lost"); // Nobody in Akka listens to that.
                break;
            case ClusterEvent.UnreachableMember m:
                host.Say(LogEvent.MemberChanged, "Reachable", "Unreachable", AkkaHost.NameOf(m.Member));
                break;
            case ClusterEvent.ReachableMember m:
                host.Say(LogEvent.MemberChanged, "Unreachable", "Reachable", AkkaHost.NameOf(m.Member));
                break;
            case ClusterEvent.MemberRemoved m:
                host.Say(LogEvent.MemberChanged, m.PreviousStatus.ToString(), "Removed", AkkaHost.NameOf(m.Member));
                if (host.Leader == AkkaHost.NameOf(m.Member))
                    host.LeaderLost();
                break;
        }
    }

    private void Announce(Member member)
    {
        if (host.Node!.Leadership is not null && host.RootOf(AkkaHost.NameOf(member)) is { } root && AkkaHost.NameOf(member) != host.Name)
            ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(root / "user" / Self.Path.Name).Tell(new Leads(leading ?? Leads.Nobody), Self);
    }

    /// <summary>A leader of an earlier term does not know yet that it is none any more.</summary>
    private void Hear(string leader, long epoch)
    {
        if (epoch < heard || (epoch == heard && leader == host.Leader))
            return;
        heard = epoch;
        host.LeaderIs(leader);
    }

    /// <summary>This node leads, in that epoch; null: not any more.</summary>
    internal sealed record Leading(long? Epoch);

    private sealed class TickNow
    {
        public static TickNow Instance { get; } = new();
    }
}
