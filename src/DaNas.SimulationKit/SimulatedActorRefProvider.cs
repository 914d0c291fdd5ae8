using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Serialization;

namespace DaNas.SimulationKit;

/// <summary>Akka's local provider; paths of other nodes resolve to references that send through the simulated network.</summary>
public sealed class SimulatedActorRefProvider(string systemName, Settings settings, EventStream eventStream) : IActorRefProvider
{
    private readonly LocalActorRefProvider local = new(systemName, settings, eventStream);
    private readonly SimulatedNode node = SimulatedNode.Starting;
    private readonly Dictionary<string, IActorRef> remote = new(StringComparer.Ordinal);

    public IInternalActorRef RootGuardian => local.RootGuardian;

    public LocalActorRef Guardian => local.Guardian;

    public LocalActorRef SystemGuardian => local.SystemGuardian;

    public IActorRef DeadLetters => local.DeadLetters;

    public IActorRef IgnoreRef => local.IgnoreRef;

    public ActorPath RootPath => local.RootPath;

    public Settings Settings => local.Settings;

    public Deployer Deployer => local.Deployer;

    public IInternalActorRef TempContainer => local.TempContainer;

    public Task TerminationTask => local.TerminationTask;

    public Address DefaultAddress => local.DefaultAddress;

    public Information SerializationInformation => local.SerializationInformation;

    public void Init(ActorSystemImpl system) => local.Init(system);

    public ActorPath TempPath() => local.TempPath();

    public void RegisterTempActor(IInternalActorRef actorRef, ActorPath path) => local.RegisterTempActor(actorRef, path);

    public void UnregisterTempActor(ActorPath path) => local.UnregisterTempActor(path);

    public FutureActorRef<T> CreateFutureRef<T>(TaskCompletionSource<T> tcs) => local.CreateFutureRef(tcs);

    public Address GetExternalAddressFor(Address address) =>
        local.GetExternalAddressFor(address) ?? (node.World.Find(address.System) is null ? null! : address);

    public IActorRef RootGuardianAt(Address address) => address == DefaultAddress ? local.RootGuardian : Remote(new RootActorPath(address));

    public IInternalActorRef ActorOf(
        ActorSystemImpl system, Props props, IInternalActorRef supervisor, ActorPath path, bool systemService, Deploy deploy,
            bool lookupDeploy, bool async) =>
        local.ActorOf(system, props, supervisor, path, systemService, deploy, lookupDeploy, async);

    public IActorRef ResolveActorRef(string path)
    {
        if (remote.TryGetValue(path, out IActorRef? known))
            return known;
        if (!ActorPath.TryParse(path, out ActorPath parsed))
            return DeadLetters;
        IActorRef resolved = ResolveActorRef(parsed);
        if (resolved is SimulatedRemoteActorRef)
            remote[path] = resolved;
        return resolved;
    }

    /// <summary>
    /// A path without elements is the root, where selections from other nodes arrive. One with the number of a former incarnation finds
    /// nobody, as in Akka.Remote; the local provider would not look.
    /// </summary>
    public IActorRef ResolveActorRef(ActorPath actorPath)
    {
        if (actorPath.Address != DefaultAddress)
            return Remote(actorPath);
        if (actorPath.Elements.Count == 0)
            return local.RootGuardian;
        IActorRef found = local.ResolveActorRef(actorPath);
        return actorPath.Uid == ActorCell.UndefinedUid || found.Path.Uid == actorPath.Uid
            ? found : new EmptyLocalActorRef(this, actorPath, eventStream);
    }

    private SimulatedRemoteActorRef Remote(ActorPath path) => new(node, this, path);
}

/// <summary>An actor of another node.</summary>
internal sealed class SimulatedRemoteActorRef(SimulatedNode home, IActorRefProvider provider, ActorPath path) : InternalActorRefBase
{
    private readonly int incarnation = home.Incarnation;

    public override ActorPath Path => path;

    public override IInternalActorRef Parent => new SimulatedRemoteActorRef(home, provider, path.Parent);

    public override IActorRefProvider Provider => provider;

    public override bool IsLocal => false;

    public override bool IsTerminated => false;

    private bool IsOfThisProcess => incarnation == home.Incarnation && home.IsAlive;

    public override IActorRef GetChild(IReadOnlyList<string> name) => new SimulatedRemoteActorRef(home, provider, path / name);

    public override void SendSystemMessage(ISystemMessage message)
    {
        if (IsOfThisProcess)
            home.World.Network.SendSystem(home, this, message);
    }

    public override void Resume(Exception causedByFailure)
    {
        // Nobody supervises across nodes here.
    }

    public override void Start()
    {
        // It is started at home.
    }

    public override void Stop()
    {
        // Nobody supervises across nodes here.
    }

    public override void Restart(Exception cause)
    {
        // Nobody supervises across nodes here.
    }

    public override void Suspend()
    {
        // Nobody supervises across nodes here.
    }

    protected override void TellInternal(object message, IActorRef sender)
    {
        if (IsOfThisProcess)
            home.World.Network.Send(home, this, message, sender);
    }
}
