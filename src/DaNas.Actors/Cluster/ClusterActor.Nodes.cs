using Akka.Actor;
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

    private void Arrived(NodeInfo info)
    {
        IActorRef actor = Sender;
        actor.Tell(new ClusterProtocol.NodeNoted());
        if (nodes.TryGetValue(info.Name, out Known? known) && known.Actor.Path.Equals(actor.Path) && known.Info == info)
        {
            known.Actor = actor; // A process that was started again has the same path.
            known.Seen = now;
            known.Answer();
            return;
        }

        if (known is not null && !known.Actor.Path.Equals(actor.Path) && now - known.Seen < NodeTicks)
        {
            actor.Tell(new ClusterProtocol.NodeRefused($"the name {info.Name} is in use by the node at {known.Info.Address}: " +
                $"choose another --name"));
            return;
        }

        if (!open.Add($"reach {actor.Text()}"))
            return; // It announces itself again while it is looked at.
        Then(ports.Transfer, new ClusterPorts.Reach(info, actor.Host(Context.System)), reply =>
        {
            open.Remove($"reach {actor.Text()}");
            unreached[actor.Text()] = reply.Failure is null ? 0 : unreached.GetValueOrDefault(actor.Text()) + 1;
            if (reply.Failure is null)
                Register(info, actor);
            else if (unreached[actor.Text()] % UnreachedBound == 0)
                // Not at once: it may have been frozen or cut off for a while just then.
                actor.Tell(new ClusterProtocol.NodeRefused(reply.Failure));
        });
    }

    private void Register(NodeInfo info, IActorRef actor)
    {
        Context.Write(new StateChange(LogEvent.ClusterNodeJoined, "Absent",
            "Active")
        { Cause = $"{info.Name} at {info.Address}, {info.Trainers} trainer(s), {info.Engine}" });
        Known known = new(info, actor) { Seen = now };
        nodes[info.Name] = known;
        SendRoster();
        known.Answer(); // Before its first unit: without it a node asks the leader alone for blobs.
        if (knowsDuties)
            SetDuty(known, duties.GetValueOrDefault(info.Name)); // Before that nobody is given work.
        foreach (Submission s in submissions.Values.ToList())
            AskForDescription(s);
    }

    /// <summary>What a former leader was told of the nodes holds on.</summary>
    private void LoadDuties() => Then(ports.Journal, new ClusterPorts.LoadDuties(), reply =>
    {
        if (reply.Reply is not IEnumerable<NodeOrder> stored)
            return; // The journal is away; a later tick asks again.
        knowsDuties = true;
        foreach (NodeOrder each in stored)
            duties[each.Node] = each.Duty;
        foreach (Known known in nodes.Values)
            SetDuty(known, duties.GetValueOrDefault(known.Info.Name));
    });

    /// <summary>Stored before it counts, so that it outlives this leader.</summary>
    private void Order(ClusterProtocol.SetDuty m, IActorRef from)
    {
        if (!nodes.ContainsKey(m.Node) && !duties.ContainsKey(m.Node))
        {
            open.Remove(m.Ask);
            from.Tell(new ClusterProtocol.NodeList(m.Ask, Nodes(), $"there is no node '{m.Node}'; 'danas nodes ls' lists them"));
            return;
        }

        Then(ports.Journal, new ClusterPorts.SaveDuty(new NodeOrder(m.Node, m.Duty)), reply =>
        {
            open.Remove(m.Ask);
            if (reply.Failure is null)
            {
                duties[m.Node] = m.Duty;
                if (nodes.TryGetValue(m.Node, out Known? known))
                    SetDuty(known, m.Duty);
            }

            from.Tell(new ClusterProtocol.NodeList(m.Ask, Nodes(), reply.Failure));
        });
    }

    private void SetDuty(Known node, NodeDuty duty)
    {
        if (node.Duty != duty)
            Context.Write(new StateChange(LogEvent.ClusterNodeDuty, node.Duty.ToString(), duty.ToString())
            {
                Cause = node.Info.Name,
                IsWarning = duty == NodeDuty.Quarantined
            });
        node.Duty = duty;
        ports.Dispatcher.Tell(new DispatchProtocol.SetHostDuty(node.Actor.Host(Context.System), duty));
    }

    private void SendRoster()
    {
        ClusterProtocol.Roster roster = new(nodes.Values.Where(n => now - n.Seen < NodeTicks).Select(n => n.Info).ToValueList());
        ports.Transfer.Run(roster, Self);
        foreach (Known node in nodes.Values)
            node.Later(roster);
    }

    private ValueList<NodeStatus> Nodes() => nodes.Values.Select(n => new NodeStatus(n.Info, n.Duty,
        busy.FirstOrDefault(b => b.Host == n.Actor.Host(Context.System))?.Running ?? 0, now - n.Seen < NodeTicks)).ToValueList();
}
