using Akka.Actor;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Cluster;

/// <summary>One process with trainers: tells the leader that it is there, and does for it what only this machine can.</summary>
public sealed class NodeActor : LoggedActor, IWithTimers
{
    public const string Name = "node";

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    private readonly NodeInfo node;
    private readonly Dictionary<object, (string Ask, IActorRef From)> describing = new(ReferenceEqualityComparer.Instance);
    private readonly Func<IActorRef> leader;

    /// <summary>
    /// <paramref name="local"/> describes what this machine has, <paramref name="transfer"/> has its blobs, <paramref name="leader"/> is
    /// asked each time for the leader's reception, as far as it is known.
    /// </summary>
    public NodeActor(NodeInfo node, ClusterPorts.Port local, ClusterPorts.Port transfer, Func<IActorRef> leader)
    {
        this.node = node;
        this.leader = leader;
        Receive<HeartbeatTick>(_ => Announce());
        Receive<LeaderChanged>(_ =>
        {
            Context.Write(new StateChange(LogEvent.NodeChanged, "Alone", "Joined") { Cause = leader().Host(Context.System) });
            Announce();
        });
        Receive<ClusterProtocol.NodeNoted>(_ => local.Run(new ClusterPorts.HeardHere(), Self));
        Receive<ClusterProtocol.NodeRefused>(m => local.Run(new ClusterPorts.RefusedHere(m.Reason), Self));
        Receive<ClusterProtocol.Roster>(m => transfer.Run(m, Self));
        Receive<ClusterProtocol.Discard>(m => transfer.Run(m, Self));
        Receive<ClusterProtocol.Keep>(m => transfer.Run(m, Self));
        Receive<ClusterProtocol.Describe>(m => describing.Values.All(d => d.Ask != m.Ask), m =>
        {
            ClusterPorts.DescribeHere request = new(m.Configuration);
            describing[request] = (m.Ask, Sender);
            local.Run(request, Self);
        });
        Receive<ClusterPorts.Replied>(m =>
        {
            if (!describing.Remove(m.Request, out (string Ask, IActorRef From) asked))
                return;
            ClusterProtocol.Described answer = m.Reply as ClusterProtocol.Described ?? new(asked.Ask, null, null, m.Failure);
            asked.From.Tell(answer with { Ask = asked.Ask });
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer("heartbeat", HeartbeatTick.Instance, Heartbeat);
        Announce();
    }

    private void Announce() => leader().Tell(new ClusterProtocol.NodeHere(node));

    public static Props PropsOf(NodeInfo node, ClusterPorts.Port local, ClusterPorts.Port transfer, Func<IActorRef> leader) =>
        Props.Create(() => new NodeActor(node, local, transfer, leader));

    /// <summary>Somebody else leads.</summary>
    public sealed record LeaderChanged : INoSerializationVerificationNeeded;

    private sealed record HeartbeatTick
    {
        public static HeartbeatTick Instance { get; } = new();
    }
}
