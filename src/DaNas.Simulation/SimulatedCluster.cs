using Akka.Actor;
using Akka.Configuration;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Actors.Trainers;
using DaNas.Actors.Wire;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>
/// A search on a simulated cluster: two processes that can coordinate, of which one holds the lease at a time, perhaps one for the
/// dispatcher, and the trainers. What dies is started again; when the coordinator dies or does not answer, somebody takes over.
/// </summary>
public sealed class SimulatedCluster
{
    /// <summary>Serializers and dispatchers of a node.</summary>
    public static Config Configuration { get; } = ConfigurationFactory.ParseString(
        $$"""
        {{SealedPersistentActor.Dispatcher}}.type = "{{NameOf(typeof(SeededDispatcherConfigurator))}}"
        akka.actor {
          serializers { danas-wire = "{{NameOf(typeof(WireSerializer))}}", danas-events = "{{NameOf(typeof(EventSerializer))}}" }
          serialization-bindings {
            "{{NameOf(typeof(SealedEvent))}}" = danas-events
            {{string.Join('\n', WireFormat.AllManifests.Select(WireFormat.TypeOf).Distinct().Select(t => $"\"{NameOf(t)}\" = danas-wire"))}}
          }
        }
        """);

    private readonly SimulatedWorld world;
    private readonly SimulatedSearch search;
    private readonly ClusterLayout layout;
    private readonly Func<WorkUnit, double> seconds;
    private readonly Plant plant;
    private readonly StateLogSetup log;
    private readonly HashSet<string> hosted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SimulatedEngine> engines = new(StringComparer.Ordinal);
    private readonly Dictionary<SimulatedNode, IActorRef> trainerActors = [];
    private readonly FencedStore store;
    private string dispatcher = string.Empty;

    public SimulatedCluster(SimulatedWorld world, SimulatedSearch search, ClusterLayout layout, Func<WorkUnit, double> seconds,
        (Plant Plant, IStateLog Log) observed)
    {
        this.world = world;
        this.search = search;
        this.layout = layout;
        this.seconds = seconds;
        plant = observed.Plant;
        log = new StateLogSetup(observed.Log);
        Checks = new SafetyChecks(world);
        store = new FencedStore(world, Checks, plant);
        if (plant == Plant.LostTimer)
            world.LosesScheduled = m => m.GetType().Name == "RetryTick";
        Coordinators = [world.AddNode("c0", Configuration), world.AddNode("c1", Configuration)];
        Dispatchers = layout.DispatcherApart ? [world.AddNode("d0", Configuration)] : [];
        Trainers = [.. Enumerable.Range(0, layout.Trainers).Select(i => world.AddNode($"t{i}", Configuration))];
        foreach (SimulatedNode node in world.Nodes)
            Boot(node);
        Coordinator = Coordinators[0];
        Coordinate(Coordinator);
    }

    public SafetyChecks Checks { get; }

    public SimulatedBlobs Blobs { get; } = new();

    public IReadOnlyList<SimulatedNode> Coordinators { get; }

    public IReadOnlyList<SimulatedNode> Dispatchers { get; }

    public IReadOnlyList<SimulatedNode> Trainers { get; }

    /// <summary>The process that holds the lease.</summary>
    public SimulatedNode Coordinator { get; private set; }

    /// <summary>Engines that ever ran, also of dead trainers.</summary>
    public IReadOnlyCollection<SimulatedEngine> Engines => engines.Values;

    /// <summary>Seconds until something that died is started again.</summary>
    public (double Low, double High) RestartSeconds { get; set; } = (0, 20);

    public bool IsOver => Checks.EndAcknowledged;

    public SimulatedEngine? EngineOf(SimulatedNode node) => engines.GetValueOrDefault($"{node.Name}#{node.Incarnation}");

    /// <summary>kill -9 of one process; it comes back after a while.</summary>
    public void Crash(SimulatedNode node)
    {
        if (!node.IsAlive)
            return;
        EngineOf(node)?.Vanish();
        node.Crash();
        RestartLater(node);
    }

    /// <summary>SIGSTOP for a while; a coordinator that does not renew its lease loses it.</summary>
    public void Pause(SimulatedNode node, TimeSpan duration)
    {
        node.Pause(duration);
        TimeSpan lease = world.Between(5, 8);
        if (node == Coordinator && duration > lease)
            world.After(lease, () => TakeOver(node));
    }

    private void RestartLater(SimulatedNode node)
    {
        if (node == Coordinator)
            world.After(world.Between(0.05, 8), () => TakeOver(node));
        world.After(world.Between(RestartSeconds.Low, RestartSeconds.High), () =>
        {
            if (!node.IsAlive)
                Boot(node);
        });
    }

    /// <summary>
    /// The lease of one that died or sleeps goes to whoever can take it: the other one, or itself once it is up again. A process that held
    /// it once holds it never again: a former self of the search may still live in it.
    /// </summary>
    private void TakeOver(SimulatedNode from)
    {
        if (from != Coordinator)
            return;
        SimulatedNode[] able = [.. Coordinators.Where(c => c.IsAlive && !c.IsPaused && !hosted.Contains($"{c.Name}#{c.Incarnation}"))];
        if (able.Length == 0 || !TryCoordinate(able[world.Random.Below(able.Length)]))
            world.After(TimeSpan.FromSeconds(1), () => TakeOver(from));
    }

    private bool TryCoordinate(SimulatedNode node)
    {
        try
        {
            Coordinate(node);
            return true;
        }
        catch (JournalException)
        {
            return false; // The store is away; somebody tries again.
        }
    }

    private void Coordinate(SimulatedNode node)
    {
        SimulatedTables tables = store.Acquire(PersistenceId);
        long epoch = tables.EpochOf(PersistenceId);
        Coordinator = node;
        hosted.Add($"{node.Name}#{node.Incarnation}");
        Action<object> hear = Hear;
        IActorRef listener = node.System.ActorOf(Props.Create(() => new ListeningActor(hear)), $"listener-{epoch}");
        node.System.EventStream.Subscribe(listener, typeof(HostMustEnd));
        if (!layout.DispatcherApart)
            Dispatch(node, $"dispatcher-{epoch}");
        SearchProtocol.Beginning beginning = new(new SearchCommand.Start(search.First), new SearchCommand.Resume(epoch, "simulated", 0));
        SearchPorts ports = new(listener, Resolve(node, dispatcher), Discard);
        IActorRef supervisor =
            node.System.ActorOf(SearchActor.PropsOf(SimulatedSearch.Id, beginning, ports, tables.Journal()), $"search-{epoch}");
        listener.Tell(new ListeningActor.WatchAlso(supervisor));

        void Hear(object message)
        {
            if (message is SearchProtocol.Stored stored)
                Checks.Acknowledge(stored);
            else if (message is SearchProtocol.Ended end)
                Checks.AcknowledgeEnd(end.State);
            else if (message is HostMustEnd or Terminated)
                node.After(TimeSpan.Zero, () => Crash(node));
        }
    }

    private void Boot(SimulatedNode node)
    {
        node.Start(log);
        if (Dispatchers.Contains(node))
            Dispatch(node, "dispatcher");
        if (!Trainers.Contains(node))
            return;
        int number = int.Parse(node.Name.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
        SimulatedEngine engine = new(node, search, Blobs, seconds);
        engines[$"{node.Name}#{node.Incarnation}"] = engine;
        trainerActors[node] = node.System.ActorOf(TrainerActor.PropsOf(
            number, engine, () => Resolve(node, dispatcher), new TrainerMemory()), TrainerActor.NameOf(number));
    }

    /// <summary>Starts a dispatcher; the trainers find it as they would by asking who leads.</summary>
    private void Dispatch(SimulatedNode node, string name)
    {
        DispatcherSettings settings = new(search.Config.Trainers.Attempts, search.Config.Trainers.SilenceSeconds);
        dispatcher = node.System.ActorOf(DispatcherActor.PropsOf(settings), name).Path.ToStringWithAddress();
        foreach ((SimulatedNode trainer, IActorRef actor) in trainerActors)
            trainer.After(TimeSpan.Zero, () => actor.Tell(new TrainerActor.DispatcherChanged()));
    }

    private static IActorRef Resolve(SimulatedNode node, string path) => ((ExtendedActorSystem)node.System).Provider.ResolveActorRef(path);

    private static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";

    private void Discard(SearchProtocol.DiscardBlobs request)
    {
        IEnumerable<BlobRef> discarded = request.Blobs;
        if (plant == Plant.EarlyDiscard && Checks.State.Supernet is { } newest)
            discarded = discarded.Append(newest);
        foreach (BlobRef blob in discarded)
        {
            Blobs.Delete(blob);
            Checks.Discarded(blob);
        }
    }

    private static string PersistenceId => $"search-{SimulatedSearch.Id}";

    /// <summary>Tells what it hears to a delegate.</summary>
    private sealed class ListeningActor : ReceiveActor
    {
        public ListeningActor(Action<object> hear)
        {
            Receive<WatchAlso>(m => Context.Watch(m.Actor));
            ReceiveAny(hear);
        }

        public sealed record WatchAlso(IActorRef Actor);
    }
}
