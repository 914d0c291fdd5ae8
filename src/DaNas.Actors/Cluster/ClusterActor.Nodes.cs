using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>What the reception knows of the nodes: who is there, what they may do, and which blobs they should keep.</summary>
public sealed partial class ClusterActor
{
    private readonly SortedDictionary<string, NodeDuty> duties = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> unreached = new(StringComparer.Ordinal);
    private ValueList<HostLoad> busy = [];

    /// <summary>A node that announces itself and cannot be reached so often in a row is refused.</summary>
    private const int UnreachedBound = 10;

    private void Arrived(IActorContext context, NodeInfo info)
    {
        ActorAddress actor = context.Sender!;
        context.Tell(actor, new ClusterProtocol.NodeNoted());
        if (nodes.TryGetValue(info.Name, out Known? known) && known.Actor == actor && known.Info == info)
        {
            known.Seen = now;
            known.Answer(context);
            return;
        }

        if (known is not null && known.Actor != actor && now - known.Seen < NodeTicks)
        {
            context.Tell(actor, new ClusterProtocol.NodeRefused($"the name {info.Name} is in use by the node at {known.Info.Address}: choose another --name"));
            return;
        }

        if (!open.Add($"reach {actor.Path}"))
            return; // It announces itself again while it is looked at.
        Then(context, ClusterPorts.Transfer, new ClusterPorts.Reach(info, actor.Host), (c, reply) =>
        {
            open.Remove($"reach {actor.Path}");
            unreached[actor.Path] = reply.Failure is null ? 0 : unreached.GetValueOrDefault(actor.Path) + 1;
            if (reply.Failure is null)
                Register(c, info, actor);
            else if (unreached[actor.Path] % UnreachedBound == 0)
                c.Tell(actor, new ClusterProtocol.NodeRefused(reply.Failure)); // Not at once: it may have been frozen or cut off for a while just then.
        });
    }

    private void Register(IActorContext context, NodeInfo info, ActorAddress actor)
    {
        context.Log(new StateChange(LogEvent.ClusterNodeJoined, "Absent", "Active") { Cause = $"{info.Name} at {info.Address}, {info.Trainers} trainer(s), {info.Engine}" });
        Known known = new(info, actor) { Seen = now };
        nodes[info.Name] = known;
        SendRoster(context);
        known.Answer(context); // Before its first unit: without it a node asks the leader alone for blobs.
        if (knowsDuties)
            SetDuty(context, known, duties.GetValueOrDefault(info.Name)); // Before that nobody is given work.
        foreach (Submission s in submissions.Values.ToList())
            AskForDescription(context, s);
    }

    /// <summary>What a former leader was told of the nodes holds on.</summary>
    private void LoadDuties(IActorContext context) => Then(context, ClusterPorts.Journal, new ClusterPorts.LoadDuties(), (c, reply) =>
    {
        if (reply.Reply is not IEnumerable<NodeOrder> stored)
            return; // The journal is away; a later tick asks again.
        knowsDuties = true;
        foreach (NodeOrder each in stored)
            duties[each.Node] = each.Duty;
        foreach (Known known in nodes.Values)
            SetDuty(c, known, duties.GetValueOrDefault(known.Info.Name));
    });

    /// <summary>Stored before it counts, so that it outlives this leader.</summary>
    private void Order(IActorContext context, ClusterProtocol.SetDuty m, ActorAddress from)
    {
        if (!nodes.ContainsKey(m.Node) && !duties.ContainsKey(m.Node))
        {
            open.Remove(m.Ask);
            context.Tell(from, new ClusterProtocol.NodeList(m.Ask, Nodes(), $"there is no node '{m.Node}'; 'danas nodes ls' lists them"));
            return;
        }

        Then(context, ClusterPorts.Journal, new ClusterPorts.SaveDuty(new NodeOrder(m.Node, m.Duty)), (c, reply) =>
        {
            open.Remove(m.Ask);
            if (reply.Failure is null)
            {
                duties[m.Node] = m.Duty;
                if (nodes.TryGetValue(m.Node, out Known? known))
                    SetDuty(c, known, m.Duty);
            }

            c.Tell(from, new ClusterProtocol.NodeList(m.Ask, Nodes(), reply.Failure));
        });
    }

    private static void SetDuty(IActorContext context, Known node, NodeDuty duty)
    {
        if (node.Duty != duty)
            context.Log(new StateChange(LogEvent.ClusterNodeDuty, node.Duty.ToString(), duty.ToString()) { Cause = node.Info.Name, IsWarning = duty == NodeDuty.Quarantined });
        node.Duty = duty;
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.SetHostDuty(node.Actor.Host, duty));
    }

    private void SendRoster(IActorContext context)
    {
        ClusterProtocol.Roster roster = new(nodes.Values.Where(n => now - n.Seen < NodeTicks).Select(n => n.Info).ToValueList());
        context.Run(ClusterPorts.Transfer, roster);
        foreach (Known node in nodes.Values)
            node.Later(roster);
    }

    private ValueList<NodeStatus> Nodes() => nodes.Values.Select(n => new NodeStatus(n.Info, n.Duty, busy.FirstOrDefault(b => b.Host == n.Actor.Host)?.Running ?? 0, now - n.Seen < NodeTicks)).ToValueList();
}
