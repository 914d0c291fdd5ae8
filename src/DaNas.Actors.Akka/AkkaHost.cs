using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Akka;

/// <summary>
/// Runs actors on Akka.NET, events in Akka.Persistence.Sql. Address <c>/a/b</c> is the path <c>/user/a/b</c>. It passes ActorHostContract.
/// </summary>
public sealed partial class AkkaHost : IActorHost
{
    private readonly ConcurrentDictionary<string, ActorAddress> roles = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<object, CancellationToken, Task<object?>>> ports = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<string> fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();
    private readonly ExtendedActorSystem system;
    private long overflowed;

    /// <summary>
    /// Starts an actor system over a journal whose fence is up; <paramref name="hocon"/> is hocon/akka, and what stands in the way of the host itself is overridden.
    /// A <paramref name="node"/> becomes part of a cluster when it joins one.
    /// </summary>
    public AkkaHost(string hocon, IFencedTables? journal, IStateLog log, AkkaNode? node = null)
    {
        Journal = journal;
        Ledger = journal?.NewLedger();
        Log = log;
        Node = node;
        Name = node is null ? string.Empty : $"{node.Host}:{node.Port}";
        string? database = node?.JournalConnection ?? journal?.ConnectionString;
        Config own = ConfigurationFactory.ParseString($$"""
            akka.loggers = ["{{NameOf(typeof(AkkaLogger))}}"]
            akka.actor.guardian-supervisor-strategy = "{{NameOf(typeof(AlwaysRestart))}}"
            danas.mailbox.mailbox-type = "{{NameOf(typeof(CountingMailbox))}}"
            akka.actor.serializers { danas-events = "{{NameOf(typeof(EventSerializer))}}", danas-refuse = "{{NameOf(typeof(RefusingSerializer))}}", danas-wire = "{{NameOf(typeof(WireSerializer))}}", json = "{{NameOf(typeof(NoJson))}}", daemon-create = "{{NameOf(typeof(NoDeployment))}}" }
            akka.actor.serialization-bindings { "{{NameOf(typeof(SealedEvent))}}" = danas-events, "System.Object" = danas-refuse }
            {{(database is null ? string.Empty : $"akka.persistence.journal.sql.connection-string = {Quote(database)}")}}
            {{(node is null ? string.Empty : ClusterSettings(node))}}
            """);
        Config config = own.WithFallback(ConfigurationFactory.ParseString(hocon));
        Bounds = AkkaBounds.From(config);
        system = (ExtendedActorSystem)ActorSystem.Create(SystemName, BootstrapSetup.Create().WithConfig(config).And(new HostSetup(this)));
        if (node is not null)
            BeginMembership();
    }

    /// <inheritdoc/>
    public Task<string> Fatal => fatal.Task;

    /// <inheritdoc/>
    public long Overflowed => Interlocked.Read(ref overflowed);

    internal AkkaBounds Bounds { get; }

    internal IFencedTables? Journal { get; private set; }

    internal JournalLedger? Ledger { get; private set; }

    internal IStateLog Log { get; }

    /// <inheritdoc/>
    public ActorAddress Spawn(string name, Func<IActor> create) => Address(system.ActorOf(PropsFor(create), name));

    /// <inheritdoc/>
    public ActorAddress Listen(string name, Action<object> receive) => Spawn(name, () => new Listener(receive));

    /// <inheritdoc/>
    public void Tell(ActorAddress receiver, object message) => Ref(receiver).Tell(message, ActorRefs.NoSender);

    /// <inheritdoc/>
    public void Tell(ActorAddress receiver, object message, ActorAddress sender) => Ref(receiver).Tell(message, Ref(sender));

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
        await CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance);
        await system.WhenTerminated; // The shutdown's own phases give up after a while: the journal must not be let go under a writer.
        system.Dispose();
        stopping.Dispose();
        Ledger?.Dispose();
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
        string host = actor.Path.Address.HasGlobalScope ? $"{actor.Path.Address.Host}:{actor.Path.Address.Port}" : Name;
        return new ActorAddress($"{(host.Length == 0 ? string.Empty : $"//{host}")}/{string.Join('/', actor.Path.Elements.Skip(1))}");
    }

    internal ActorAddress Address(IActorRef actor) => AddressOf(actor) ?? throw new InvalidOperationException($"{actor} is not an actor of this host");

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

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";

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
