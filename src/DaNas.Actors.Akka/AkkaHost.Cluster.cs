using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using DaNas.Actors.Logging;
using DaNas.Actors.Wire;
using AkkaCluster = Akka.Cluster.Cluster;
using MemberStatus = Akka.Cluster.MemberStatus;

namespace DaNas.Actors.Akka;

/// <summary>The host as a node of an Akka cluster.</summary>
public sealed partial class AkkaHost
{
    internal const string Scheme = "danas";
    private const string SystemName = "danas";
    private const string Membership = "membership";

    private AkkaCluster? cluster;

    /// <summary>This host among others, HOST:PORT; empty where it is alone. Its addresses are then <c>//HOST:PORT/path</c>.</summary>
    public string Name { get; }

    /// <summary>HOST:PORT of the node whose singleton leads, as far as it is known here.</summary>
    public string? Leader { get; private set; }

    /// <summary>Told each time that another leader, or the same one in another term, is heard of.</summary>
    public Action<string>? LeaderReached { get; set; }

    /// <summary>Completes when the actor system has ended: asked to, or since the others took it for lost.</summary>
    public Task Ended => system.WhenTerminated;

    /// <summary>Whether this node is a full member; of a trainer it is enough that the others know it.</summary>
    public bool IsMember => cluster is not null && (cluster.SelfMember.Status == MemberStatus.Up || (Node!.Leadership is null && cluster.SelfMember.Status == MemberStatus.WeaklyUp));

    /// <summary>Coordinators that are reached, HOST:PORT, this node among them if it is one.</summary>
    public IReadOnlyList<string> Coordinators => [.. Reachable(AkkaNode.Coordinator).Select(m => NameOf(m))];

    /// <summary>Other nodes with trainers that are reached.</summary>
    public int TrainersReached => Reachable(AkkaNode.Trainer).Count(m => m.Address != cluster!.SelfAddress);

    /// <summary>
    /// Whether this node has heard lately from another coordinator that holds it for a member; true where there is none to be heard from. A node that was cut off may have been
    /// taken for lost without hearing of it.
    /// </summary>
    public bool IsRemembered => Stopwatch.GetElapsedTime(HeardAt) < AloneAfter || (Node!.Leadership is not null && !Coordinators.Any(c => c != Name));

    /// <summary>A node without coordinators for so long begins anew.</summary>
    public TimeSpan AloneAfter => system.Settings.Config.GetTimeSpan("danas.alone-after");

    /// <summary>Whether the cluster's singleton lives on this node: it leads, or waits for the store's word.</summary>
    public bool HasSingleton { get; internal set; }

    internal AkkaNode? Node { get; }

    /// <summary>The time in which it was no member yet does not count.</summary>
    public void NotYetMember() => HeardAt = Stopwatch.GetTimestamp();

    /// <summary>When another coordinator last said that this node is a member.</summary>
    internal long HeardAt { get; set; } = Stopwatch.GetTimestamp();

    /// <summary>Takes over connections that others made.</summary>
    internal Func<INodeConnection, CancellationToken, Task>? Arriving { get; set; }

    /// <summary>Whether a node is a member here, and whether it is reached.</summary>
    public (bool IsMember, bool IsReached) Knows(string hostAndPort)
    {
        global::Akka.Cluster.Member? member = cluster?.State.Members.FirstOrDefault(m => NameOf(m) == hostAndPort);
        return (member is not null, member is not null && IsReached(member));
    }

    /// <summary>Joins the cluster of one of these nodes (HOST:PORT), again until it has; this node's own name first: founds one where no other has.</summary>
    public void Join(IEnumerable<string> seeds) => cluster!.JoinSeedNodes(seeds.Select(s => RootOf(s)?.Address).OfType<Address>());

    /// <summary>Carries a connection of another node to its end.</summary>
    public Task CarryAsync(INodeConnection connection, CancellationToken cancellation) =>
        Arriving is { } take ? take(connection, cancellation) : throw new InvalidDataException("this node takes no connections yet");

    /// <summary>Ends an actor at the top, and waits for that; false where it did not end in time.</summary>
    public async Task<bool> StopAsync(ActorAddress actor, TimeSpan patience)
    {
        try
        {
            return await Ref(actor).GracefulStop(patience);
        }
        catch (Exception e) when (e is TaskCanceledException or TimeoutException)
        {
            return false;
        }
    }

    internal void LeaderIs(string leader)
    {
        Leader = leader;
        PlayRole(Roles.Dispatcher, new ActorAddress($"//{leader}/{Roles.Dispatcher}"));
        PlayRole(Roles.Cluster, new ActorAddress($"//{leader}/{Roles.Cluster}"));
        LeaderReached?.Invoke(leader);
    }

    internal void LeaderLost() => Leader = null;

    internal void Say(LogEvent e, string from, string to, string cause) =>
        Log.Write(AddressOf(Membership), DateTimeOffset.UtcNow, new StateChange(e, from, to) { Cause = cause, IsWarning = true });

    internal static string NameOf(global::Akka.Cluster.Member member) => $"{member.Address.Host}:{member.Address.Port}";

    /// <summary>By this node's own failure detector: what others say of each other is no reason to take anybody for lost.</summary>
    internal bool IsReached(global::Akka.Cluster.Member member) => cluster is null || !cluster.FailureDetector.IsMonitoring(member.Address) || cluster.FailureDetector.IsAvailable(member.Address);

    internal IEnumerable<global::Akka.Cluster.Member> Reachable(string? role) => cluster is null
        ? []
        : cluster.State.Members.Where(m => m.Status is MemberStatus.Up or MemberStatus.WeaklyUp && IsReached(m) && (role is null || m.HasRole(role)));

    /// <summary>The root of a node's actors; null for what is no node.</summary>
    internal ActorPath? RootOf(string host)
    {
        if (host.Length == 0 || host == Name)
            return Node is null || host.Length == 0 ? system.Provider.RootPath : new RootActorPath(new Address($"akka.{Scheme}", SystemName, Node.Host, Node.Port));
        int colon = host.LastIndexOf(':');
        return Node is not null && colon > 0 && int.TryParse(host.AsSpan(colon + 1), out int port) ? new RootActorPath(new Address($"akka.{Scheme}", SystemName, host[..colon], port)) : null;
    }

    /// <summary>Laid over hocon/akka: what names types of ours, and what this node is.</summary>
    private static string ClusterSettings(AkkaNode node) => $$"""
        akka.actor.provider = cluster
        akka.actor.serialization-bindings { {{string.Join(", ", WireFormat.AllManifests.Select(m => $"{Quote(NameOf(WireFormat.TypeOf(m)))} = danas-wire").Append($"{Quote(NameOf(typeof(Leads)))} = danas-wire"))}} }
        akka.remote.enabled-transports = ["akka.remote.danas-link"]
        akka.remote.danas-link { transport-class = "{{NameOf(typeof(LinkTransport))}}", applied-adapters = [] }
        akka.cluster.roles = [{{string.Join(", ", node.Roles)}}]
        akka.cluster.downing-provider-class = "{{NameOf(typeof(LeaseDowning))}}"
        """;

    private void BeginMembership()
    {
        cluster = AkkaCluster.Get(system);
        system.ActorOf(Props.Create(() => new MembershipActor(this)), Membership);
        if (Node!.Leadership is null)
            return;
        system.ActorOf(Props.Create(() => new WarmUp()));
        ClusterSingletonManagerSettings settings = ClusterSingletonManagerSettings.Create(system).WithRole(AkkaNode.Coordinator);
        system.ActorOf(ClusterSingletonManager.Props(Props.Create(() => new LeaderActor(this)), LeaderActor.HandOver.Instance, settings), "leadership");
    }

    /// <summary>Reads nothing from the journal, once, so that its plugin and data base driver are loaded before the first takeover.</summary>
    private sealed class WarmUp : global::Akka.Persistence.UntypedPersistentActor
    {
        public override string PersistenceId => "danas-warm-up";

        protected override void OnRecover(object message)
        {
            if (message is global::Akka.Persistence.RecoveryCompleted)
                Context.Stop(Self);
        }

        protected override void OnCommand(object message)
        {
            // It is told nothing.
        }

        protected override void OnRecoveryFailure(Exception reason, object? message = null)
        {
            // It stops, and nothing is lost.
        }
    }
}
