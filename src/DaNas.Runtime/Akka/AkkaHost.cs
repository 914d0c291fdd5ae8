using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Remote;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using Microsoft.Extensions.Hosting;
using AkkaCluster = Akka.Cluster.Cluster;
using MemberStatus = Akka.Cluster.MemberStatus;

namespace DaNas.Runtime.Akka;

/// <summary>
/// An actor system of this product: one machine's, a trainer node's or a coordinator's, its events in Akka.Persistence.Sql. Dispose ends
/// every actor.
/// </summary>
public sealed class AkkaHost : IAsyncDisposable
{
    private readonly TaskCompletionSource<string> fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();
    private readonly AkkaNode? node;
    private readonly IHost app;
    private ExtendedActorSystem system = null!;
    private IActorRef sentinel = ActorRefs.Nobody;
    private WritersJournal? journal;
    private long overflowed;

    private AkkaHost(string timings, IFencedTables? tables, IStateLog log, AkkaNode? node)
    {
        if (tables is not null)
            OpenJournal(tables);
        Log = log;
        this.node = node;
        app = AkkaConfiguration.Build(this, timings, tables, node);
    }

    /// <summary>
    /// Starts an actor system over a journal whose fence is up; <paramref name="timings"/> is hocon/akka. A <paramref name="node"/> can be
    /// reached by others, and a coordinator joins a cluster.
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

    /// <summary>
    /// Completes with the reason when the host must not go on: another writer took over, a vital actor ended, others have quarantined this
    /// node.
    /// </summary>
    public Task<string> Fatal => fatal.Task;

    /// <summary>Messages dropped because a mailbox was full.</summary>
    public long Overflowed => Interlocked.Read(ref overflowed);

    /// <summary>Completes when the actor system has ended: asked to, or downed by the other coordinators.</summary>
    public Task Ended => system.WhenTerminated;

    /// <summary>Cancelled when the host is disposed, before its actors end.</summary>
    public CancellationToken Stopping => stopping.Token;

    /// <summary>Whether this coordinator is a full member of its cluster.</summary>
    public bool IsMember => AkkaCluster.Get(system).SelfMember.Status == MemberStatus.Up;

    /// <summary>Members of this node's cluster, HOST:PORT.</summary>
    public IReadOnlyList<string> Members => [.. AkkaCluster.Get(system).State.Members.Select(m => $"{m.Address.Host}:{m.Address.Port}")];

    public ActorSystem System => system;

    /// <summary>What a writer needs; throws where the journal is not open yet.</summary>
    public WritersJournal Journal => journal ?? throw new InvalidOperationException("this host has no journal");

    internal IStateLog Log { get; }

    /// <summary>Founds a cluster (this node's own address) or joins that of others, HOST:PORT.</summary>
    public void Join(IEnumerable<string> seeds) => AkkaCluster.Get(system).JoinSeedNodes(seeds.Select(AddressOf).OfType<Address>());

    /// <summary>Starts an actor at the top without which the host must not go on: when it ends, so does the host.</summary>
    public IActorRef Spawn(string name, Props props)
    {
        IActorRef actor = system.ActorOf(props, name);
        sentinel.Tell(new Watching(actor, true));
        return actor;
    }

    /// <summary>An actor whose messages go to a delegate, one at a time.</summary>
    public IActorRef Listen(string name, Action<object> receive) => system.ActorOf(Props.Create(() => new ListeningActor(receive)), name);

    /// <summary>Ends an actor at the top, and waits for that; false where it did not end in time.</summary>
    public async Task<bool> StopAsync(IActorRef actor, TimeSpan patience)
    {
        sentinel.Tell(new Watching(actor, false));
        try
        {
            return await actor.GracefulStop(patience);
        }
        catch (Exception e) when (e is TaskCanceledException or TimeoutException)
        {
            return false;
        }
    }

    /// <summary>An actor at the top of a node, HOST:PORT, whichever incarnation of it lives there.</summary>
    public IActorRef Resolve(string host, string name) => AddressOf(host) is { } address
        ? system.Provider.ResolveActorRef(new RootActorPath(address) / "user" / name) : system.DeadLetters;

    /// <summary>The journal of a term of leadership, whose fence is up; before that no writer can begin.</summary>
    public void OpenJournal(IFencedTables tables) => journal = new WritersJournal(tables, tables.NewLedger());

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
        journal?.Ledger.Dispose();
    }

    /// <summary>The actor system is there; before any of its actors.</summary>
    internal void Attach(ExtendedActorSystem started)
    {
        system = started;
        sentinel = started.ActorOf(Props.Create(() => new SentinelActor(this)), "sentinel");
    }

    /// <summary>Told once an actor.</summary>
    internal void CountOverflow(IActorRef? first)
    {
        Interlocked.Increment(ref overflowed);
        if (first is not null)
            Log.Write(first.Text(), DateTimeOffset.UtcNow, new StateChange(LogEvent.MailboxOverflow, "Full",
                "Dropping")
            { Cause = "more messages are queued than danas.mailbox.capacity allows (hocon/akka)", IsWarning = true });
    }

    internal void Die(string reason) => fatal.TrySetResult(reason);

    /// <summary>The address of a node's actor system; null for what is no node.</summary>
    private Address? AddressOf(string host)
    {
        int colon = host.LastIndexOf(':');
        return node is not null && colon > 0 && int.TryParse(host.AsSpan(colon + 1), out int port)
            ? new Address(node.Protocol, AkkaConfiguration.SystemName, host[..colon], port) : null;
    }

    /// <summary>How what Akka makes by reflection finds its host.</summary>
    internal sealed class HostSetup(AkkaHost host) : Setup
    {
        public AkkaHost Host => host;
    }

    private sealed class ListeningActor : ReceiveActor
    {
        public ListeningActor(Action<object> receive) => ReceiveAny(receive);
    }

    private sealed record Watching(IActorRef Actor, bool IsVital) : INoSerializationVerificationNeeded;

    /// <summary>Hears of what the host must not survive.</summary>
    private sealed class SentinelActor : ReceiveActor
    {
        public SentinelActor(AkkaHost host)
        {
            Receive<Watching>(m => _ = m.IsVital ? Context.Watch(m.Actor) : Context.Unwatch(m.Actor));
            Receive<Terminated>(m => host.Die($"{m.ActorRef.Text()} ended; see the log for the reason"));
            Receive<HostMustEnd>(m => host.Die(m.Reason));
            Receive<ThisActorSystemQuarantinedEvent>(m => host.Die($"{m.RemoteAddress} has quarantined this node"));
        }

        protected override void PreStart()
        {
            Context.System.EventStream.Subscribe(Self, typeof(HostMustEnd));
            Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
        }
    }
}

/// <summary>
/// For actors at the top: what they throw restarts them, ten times a minute at most, and each time is said. What cannot even be made stops:
/// a restart would come at once and for ever.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class SaidRestarts : SupervisorStrategyConfigurator
{
    public override SupervisorStrategy Create() => new SaidStrategy(e => e is ActorInitializationException
        ? Directive.Stop : Directive.Restart);
}
