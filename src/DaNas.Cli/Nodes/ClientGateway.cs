using System.Collections.Concurrent;
using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Logging;

namespace DaNas.Cli.Nodes;

/// <summary>
/// Lets those who only ask and watch link to a leader whose nodes are an Akka cluster, without being part of it: their questions go to the reception, and
/// the answers back to them by the key of the question.
/// </summary>
internal sealed class ClientGateway : ILinkedHost
{
    private const int MostOpen = 100_000;

    private readonly ConcurrentDictionary<string, ActorAddress> asked = new(StringComparer.Ordinal);
    private readonly IActorHost host;
    private readonly IStateLog log;
    private readonly ActorAddress desk;

    public ClientGateway(IActorHost host, IStateLog log)
    {
        this.host = host;
        this.log = log;
        Hub = new LinkHub(this);
        desk = host.Listen("clients", m =>
        {
            if (m is IAsk answer && asked.TryGetValue(answer.Ask, out ActorAddress? asker))
                Hub.Send(asker, null, m);
        });
    }

    public LinkHub Hub { get; }

    public void Arrived(ActorAddress receiver, ActorAddress? sender, object message)
    {
        if (sender is null || message is not IAsk question)
        {
            if (message is ClusterProtocol.NodeHere node)
                Say(new StateChange(LogEvent.LinkUnreadable, "Up", "Up") { Cause = $"node {node.Node.Name} runs on the embedded host, and this cluster on Akka.NET: give all its nodes the same --host", IsWarning = true });
            return;
        }

        if (asked.Count > MostOpen)
            asked.Clear(); // They ask again.
        asked[question.Ask] = sender;
        host.Tell(host.Resolve(Roles.Cluster), message, desk);
    }

    public void Lost(string peer)
    {
        foreach (string key in asked.Where(a => a.Value.Host == peer).Select(a => a.Key).ToList())
            asked.TryRemove(key, out _);
    }

    public void Say(StateChange change) => log.Write(new ActorAddress("/links"), DateTimeOffset.UtcNow, change);
}
