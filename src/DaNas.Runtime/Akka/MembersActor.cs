using Akka.Actor;
using Akka.Cluster;
using DaNas.Actors.Logging;

namespace DaNas.Runtime.Akka;

/// <summary>Akka.Cluster's view of the other coordinators, as lines of the log.</summary>
internal sealed class MembersActor : UntypedActor
{
    protected override void PreStart() =>
        global::Akka.Cluster.Cluster.Get(Context.System).Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));

    protected override void PostStop() => global::Akka.Cluster.Cluster.Get(Context.System).Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        (Member Of, string From, string To)? seen = message switch
        {
            ClusterEvent.MemberRemoved e => (e.Member, $"{e.PreviousStatus}", "Removed"),
            ClusterEvent.MemberUp e => (e.Member, "Joining", "Up"),
            ClusterEvent.MemberDowned e => (e.Member, "Up", "Down"),
            ClusterEvent.MemberLeft e => (e.Member, "Up", "Leaving"),
            ClusterEvent.UnreachableMember e => (e.Member, "Reachable", "Unreachable"),
            ClusterEvent.ReachableMember e => (e.Member, "Unreachable", "Reachable"),
            _ => null,
        };
        if (seen is { } s)
            Context.Write(new StateChange(LogEvent.MemberChanged, s.From, s.To) { Cause = $"{s.Of.Address.Host}:{s.Of.Address.Port}" });
    }
}
