using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Wire;
using Microsoft.Extensions.Hosting;
using AkkaCluster = Akka.Cluster.Cluster;
using MemberStatus = Akka.Cluster.MemberStatus;

namespace DaNas.Actors.Akka;

/// <summary>
/// Runs actors on Akka.NET, events in Akka.Persistence.Sql. Address <c>/a/b</c> is the path <c>/user/a/b</c>; that of a node is <c>//HOST:PORT/a/b</c>. It passes ActorHostContract.
/// </summary>
public sealed class AkkaHost : IActorHost
{
    private readonly ConcurrentDictionary<string, ActorAddress> roles = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<object, CancellationToken, Task<object?>>> ports = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<string> fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();
    private readonly AkkaNode? node;
    private readonly IHost app;
    private ExtendedActorSystem system = null!;
    private long overflowed;

    private AkkaHost(string timings, IFencedTables? journal, IStateLog log, AkkaNode? node)
    {
        Journal = journal;
        Ledger = journal?.NewLedger();
        Log = log;
        this.node = node;
        app = AkkaConfiguration.Build(this, timings, journal, node);
    }

    /// <summary>
    /// Starts an actor system over a journal whose fence is up; <paramref name="timings"/> is hocon/akka. A <paramref name="node"/> can be reached by others, and a coordinator joins a cluster.
    /// </summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The caller has it.")]
    public static async Task<AkkaHost> StartAsync(string timings, IFencedTables? journal, IStateLog log, AkkaNode? node = null)
    {
        AkkaHost host = new(timings, journal, log, node);
        try
        {
            await host.app.StartAsync();
            return host;
        }
        catch
        {
            host.app.Dispose();
            host.stopping.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<string> Fatal => fatal.Task;

    /// <inheritdoc/>
    public long Overflowed => Interlocked.Read(ref overflowed);

    /// <summary>This host among others, HOST:PORT; empty where it is alone.</summary>
    public string Name => node?.Address ?? string.Empty;

    /// <summary>Completes when the actor system has ended: asked to, or downed by the other coordinators.</summary>
    public Task Ended => system.WhenTerminated;

    /// <summary>Whether this coordinator is a full member of its cluster.</summary>
    public bool IsMember => AkkaCluster.Get(system).SelfMember.Status == MemberStatus.Up;

    /// <summary>Members of this node's cluster, HOST:PORT.</summary>
    public IReadOnlyList<string> Members => [.. AkkaCluster.Get(system).State.Members.Select(m => $"{m.Address.Host}:{m.Address.Port}")];

    internal AkkaBounds Bounds { get; private set; } = null!;

    internal IFencedTables? Journal { get; private set; }

    internal JournalLedger? Ledger { get; private set; }

    internal IStateLog Log { get; }

    /// <summary>Founds a cluster (this node's own address) or joins that of others, HOST:PORT.</summary>
    public void Join(IEnumerable<string> seeds) => AkkaCluster.Get(system).JoinSeedNodes(seeds.Select(s => RootOf(s)?.Address).OfType<Address>());

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

    /// <inheritdoc/>
    public ActorAddress Spawn(string name, Func<IActor> create) => Address(system.ActorOf(PropsFor(create), name));

    /// <inheritdoc/>
    public ActorAddress Listen(string name, Action<object> receive) => Spawn(name, () => new Listener(receive));

    /// <inheritdoc/>
    public void Tell(ActorAddress receiver, object message) => Ref(receiver).Tell(Sent(message), ActorRefs.NoSender);

    /// <inheritdoc/>
    public void Tell(ActorAddress receiver, object message, ActorAddress sender) => Ref(receiver).Tell(Sent(message), Ref(sender));

    /// <inheritdoc/>
    public void OpenPort(string name, Func<object, CancellationToken, Task<object?>> work) => ports[name] = work;

    /// <inheritdoc/>
    public void PlayRole(string role, ActorAddress address) => roles[role] = address;

    /// <inheritdoc/>
    public ActorAddress Resolve(string role) => roles.TryGetValue(role, out ActorAddress? address) ? address : AddressOf(role);

    /// <inheritdoc/>
    public ActorAddress AddressOf(string name) => new(Name.Length == 0 ? $"/{name}" : $"//{Name}/{name}");

    /// <summary>The journal of a term of leadership, whose fence is up; before that no persistent actor can begin.</summary>
    public void OpenJournal(IFencedTables tables)
    {
        Journal = tables;
        Ledger = tables.NewLedger();
    }

    /// <summary>Coordinated: actors end before the system does.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
            return;
        await stopping.CancelAsync();
        await app.StopAsync();
        await system.WhenTerminated; // The shutdown's own phases give up after a while: the journal must not be let go under a writer.
        system.Dispose();
        app.Dispose();
        stopping.Dispose();
        Ledger?.Dispose();
    }

    /// <summary>The actor system is there; before any of its actors.</summary>
    internal void Attach(ExtendedActorSystem started)
    {
        system = started;
        Bounds = AkkaBounds.From(started.Settings.Config);
        if (node is not null)
            started.EventStream.Subscribe(started.ActorOf(Props.Create(() => new QuarantineActor(this))), typeof(RemotingLifecycleEvent));
    }

    internal Props PropsFor(Func<IActor> create) => Props.CreateBy(new ShellFactory(this, create)).WithMailbox("danas.mailbox");

    internal IActorRef Ref(ActorAddress address)
    {
        string path = address.Host.Length == 0 ? address.Path : address.Path[(address.Host.Length + 2)..];
        return RootOf(address.Host) is { } root ? system.Provider.ResolveActorRef(root / "user" / path.Split('/', StringSplitOptions.RemoveEmptyEntries)) : system.DeadLetters;
    }

    /// <summary>Null for everything that is not one of our actors (dead letters, temporary actors, the system's own).</summary>
    internal ActorAddress? AddressOf(IActorRef? actor)
    {
        if (actor is null || actor.IsNobody() || actor.Path.Elements.Count < 2 || actor.Path.Elements[0] != "user")
            return null;
        string host = actor.Path.Address.HasGlobalScope && actor.Path.Address != system.Provider.DefaultAddress ? $"{actor.Path.Address.Host}:{actor.Path.Address.Port}" : Name;
        return new ActorAddress($"{(host.Length == 0 ? string.Empty : $"//{host}")}/{string.Join('/', actor.Path.Elements.Skip(1))}");
    }

    internal ActorAddress Address(IActorRef actor) => AddressOf(actor) ?? throw new InvalidOperationException($"{actor} is not an actor of this host");

    /// <summary>What has a manifest as it is; everything else in an envelope that nothing serialises.</summary>
    internal static object Sent(object message) => WireFormat.Has(message.GetType()) ? message : new Local(message);

    /// <summary>Told once an actor.</summary>
    internal void CountOverflow(ActorAddress? first)
    {
        Interlocked.Increment(ref overflowed);
        if (first is not null)
            Log.Write(first, DateTimeOffset.UtcNow, new StateChange(LogEvent.MailboxOverflow, "Full", "Dropping") { Cause = $"more than {Bounds.MailboxCapacity} messages wait", IsWarning = true });
    }

    /// <summary>As remoting and the journal do it; for tests.</summary>
    internal object Deserialize(byte[] bytes, int serializer, string manifest) => system.Serialization.Deserialize(bytes, serializer, manifest);

    /// <inheritdoc cref="Deserialize"/>
    internal byte[] Serialize(object message) => system.Serialization.Serialize(message);

    internal void Die(string reason) => fatal.TrySetResult(reason);

    internal async Task<PortReply> RunPortAsync(string port, object request)
    {
        if (!ports.TryGetValue(port, out Func<object, CancellationToken, Task<object?>>? work))
            return new PortReply(port, request, null, $"there is no port '{port}'");
        try
        {
            return new PortReply(port, request, await Task.Run(() => work(request, stopping.Token)), null);
        }
#pragma warning disable CA1031 // A port's failure, whatever it is, becomes a value for the actor that asked.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new PortReply(port, request, null, e.Message);
        }
    }

    /// <summary>The root of a node's actors; null for what is no node.</summary>
    private ActorPath? RootOf(string host)
    {
        if (host.Length == 0 || host == Name)
            return node is null || host.Length == 0 ? system.Provider.RootPath : new RootActorPath(system.Provider.DefaultAddress);
        int colon = host.LastIndexOf(':');
        return node is not null && colon > 0 && int.TryParse(host.AsSpan(colon + 1), out int port) ? new RootActorPath(new Address(node.Protocol, AkkaConfiguration.SystemName, host[..colon], port)) : null;
    }

    /// <summary>Others hold this actor system for dead: it can speak to them no more, and another must be made in its place.</summary>
    private sealed class QuarantineActor(AkkaHost host) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is ThisActorSystemQuarantinedEvent e)
                host.Die($"{e.RemoteAddress} has quarantined this node");
        }
    }

    private sealed class Listener(Action<object> receive) : IActor
    {
        public void Receive(IActorContext context, object message) => receive(message);
    }

    /// <summary>How what Akka makes by reflection finds its host.</summary>
    internal sealed class HostSetup(AkkaHost host) : Setup
    {
        public AkkaHost Host => host;
    }

    /// <summary>The same arguments for every incarnation, so what must outlive a restart lives here.</summary>
    private sealed class ShellFactory(AkkaHost host, Func<IActor> create) : IIndirectActorProducer
    {
        private readonly Life life = new();

        public Type ActorType => typeof(Shell);

        public ActorBase Produce() => new Shell(host, create, life);

        public void Release(ActorBase actor)
        {
        }
    }
}

/// <summary>Bounds of the host, from <c>danas</c> in hocon/akka: every mailbox and every retry has one.</summary>
internal sealed record AkkaBounds(int MailboxCapacity, int MaximumRestarts, TimeSpan FirstBackoff, TimeSpan LongestBackoff)
{
    public static AkkaBounds From(Config config) => new(
        config.GetInt("danas.mailbox.capacity"), config.GetInt("danas.restarts"), config.GetTimeSpan("danas.first-backoff"), config.GetTimeSpan("danas.longest-backoff"));

    public TimeSpan Backoff(int times) => TimeSpan.FromTicks(Math.Min(LongestBackoff.Ticks, FirstBackoff.Ticks << Math.Min(times - 1, 20)));
}
