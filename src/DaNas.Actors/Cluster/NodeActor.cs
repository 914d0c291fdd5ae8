using DaNas.Actors.Logging;

namespace DaNas.Actors.Cluster;

/// <summary>One process with trainers: tells the leader that it is there, and does for it what only this machine can.</summary>
public sealed class NodeActor(NodeInfo node) : IActor
{
    public const string Name = "node";

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    private readonly Dictionary<object, (string Ask, ActorAddress From)> describing = new(ReferenceEqualityComparer.Instance);

    public void Started(IActorContext context) => Announce(context);

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case HeartbeatTick:
                Announce(context);
                break;
            case LeaderChanged m:
                context.Log(new StateChange(LogEvent.NodeChanged, "Alone", "Joined") { Cause = m.Leader });
                Announce(context);
                break;
            case ClusterProtocol.NodeNoted:
                context.Run(ClusterPorts.Local, new ClusterPorts.HeardHere());
                break;
            case ClusterProtocol.NodeRefused m:
                context.Run(ClusterPorts.Local, new ClusterPorts.RefusedHere(m.Reason));
                break;
            case ClusterProtocol.Roster or ClusterProtocol.Discard or ClusterProtocol.Keep:
                context.Run(ClusterPorts.Transfer, message);
                break;
            case ClusterProtocol.Describe m when context.Sender is { } from && describing.Values.All(d => d.Ask != m.Ask):
                ClusterPorts.DescribeHere request = new(m.Configuration);
                describing[request] = (m.Ask, from);
                context.Run(ClusterPorts.Local, request);
                break;
            case PortReply m when describing.Remove(m.Request, out (string Ask, ActorAddress From) asked):
                ClusterProtocol.Described answer = m.Reply as ClusterProtocol.Described ?? new(asked.Ask, null, null, m.Failure);
                context.Tell(asked.From, answer with { Ask = asked.Ask });
                break;
        }
    }

    private void Announce(IActorContext context)
    {
        context.Tell(context.Resolve(Roles.Cluster), new ClusterProtocol.NodeHere(node));
        context.StartTimer("heartbeat", Heartbeat, new HeartbeatTick());
    }

    /// <summary>The host has another leader's address for the well-known roles.</summary>
    public sealed record LeaderChanged(string Leader);

    private sealed record HeartbeatTick;
}
