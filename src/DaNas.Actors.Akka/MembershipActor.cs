using Akka.Actor;
using Akka.Cluster;
using DaNas.Actors.Logging;
using AkkaCluster = Akka.Cluster.Cluster;

namespace DaNas.Actors.Akka;

/// <summary>On every node: tells who leads, if this one does, and hears it. Repeated each second, since any message may be lost.</summary>
internal sealed class MembershipActor(AkkaHost host) : UntypedActor, IWithTimers
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private long? leading;
    private long heard;

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        AkkaCluster.Get(Context.System).Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
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
            case Leading m:
                leading = m.Epoch;
                if (m.Epoch is { } mine)
                    Hear(host.Name, mine);
                foreach (Member member in host.Reachable(null))
                    Announce(member);
                break;
            case Leads m when host.AddressOf(Sender) is { Host: { Length: > 0 } from }:
                Hear(from, m.Epoch);
                break;
            case ClusterEvent.UnreachableMember m:
                host.Say(LogEvent.MemberChanged, "Reachable", "Unreachable", Name(m.Member));
                break;
            case ClusterEvent.ReachableMember m:
                host.Say(LogEvent.MemberChanged, "Unreachable", "Reachable", Name(m.Member));
                break;
            case ClusterEvent.MemberRemoved m:
                host.Say(LogEvent.MemberChanged, m.PreviousStatus.ToString(), "Removed", Name(m.Member));
                if (host.Leader == Name(m.Member))
                    host.LeaderLost();
                break;
        }
    }

    private static string Name(Member member) => $"{member.Address.Host}:{member.Address.Port}";

    private void Announce(Member member)
    {
        if (leading is { } epoch && host.RootOf(Name(member)) is { } root && Name(member) != host.Name)
            ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(root / "user" / Self.Path.Name).Tell(new Leads(epoch), Self);
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
