using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Actors.Searches;
using DaNas.Actors.Trainers;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Actors.Simulated;

/// <summary>How a cluster is laid out.</summary>
public sealed record ClusterLayout(int Trainers, bool DispatcherApart);

/// <summary>
/// A search on a simulated cluster: two processes that can coordinate, of which one holds the lease at a time, perhaps one for the dispatcher, and
/// the trainers. What dies is started again; when the coordinator dies or does not answer, somebody takes over.
/// </summary>
public sealed class SimulatedCluster
{
    private const string Search = "search";

    private readonly SimulatedWorld world;
    private readonly SimulatedSearch search;
    private readonly ClusterLayout layout;
    private readonly Func<WorkUnit, double> seconds;
    private readonly HashSet<string> hosted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SimulatedEngine> engines = new(StringComparer.Ordinal);

    public SimulatedCluster(SimulatedWorld world, SimulatedSearch search, ClusterLayout layout, Func<WorkUnit, double> seconds)
    {
        this.world = world;
        this.search = search;
        this.layout = layout;
        this.seconds = seconds;
        Checks = new SafetyChecks(world);
        world.Died = (node, _) => RestartLater(node);
        Coordinators = [world.AddNode("c0"), world.AddNode("c1")];
        Dispatchers = layout.DispatcherApart ? [world.AddNode("d0")] : [];
        Trainers = [.. Enumerable.Range(0, layout.Trainers).Select(i => world.AddNode($"t{i}"))];
        foreach (SimulatedNode node in Dispatchers)
            Boot(node);
        foreach (SimulatedNode node in Trainers)
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
            if (node.IsAlive)
                return;
            node.Restart();
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
        if (able.Length == 0 || !TryCoordinate(able[world.Random.NextInt(able.Length)]))
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
        long epoch = node.Acquire($"search-{SimulatedSearch.Id}");
        Coordinator = node;
        hosted.Add($"{node.Name}#{node.Incarnation}");
        node.OpenPort(Ports.Blobs, Discard);
        ActorAddress listener = new($"//{node.Name}/listener-{epoch}");
        node.Listen(listener.Name, m =>
        {
            if (m is SearchProtocol.Stored stored)
                Checks.Acknowledge(stored);
            else if (m is SearchProtocol.Ended end)
                Checks.AcknowledgeEnd(end.State);
        });
        if (!layout.DispatcherApart)
            SpawnDispatcher(node, $"dispatcher-{epoch}");
        SearchProtocol.Beginning beginning = new(new SearchCommand.Start(search.First), new SearchCommand.Resume(epoch, "simulated", 0));
        node.Spawn($"{Search}-{epoch}", () => new SearchActor(SimulatedSearch.Id, beginning, listener));
    }

    private void Boot(SimulatedNode node)
    {
        if (Dispatchers.Contains(node))
            SpawnDispatcher(node, "dispatcher");
        if (!Trainers.Contains(node))
            return;
        int number = int.Parse(node.Name.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
        SimulatedEngine engine = new(node, search, Blobs, seconds);
        engines[$"{node.Name}#{node.Incarnation}"] = engine;
        node.OpenPort(Ports.Engine(number), engine.Run);
        node.OpenPort(Ports.Pulse(number), (_, reply) => reply(0.0, null));
        node.Spawn(TrainerActor.NameOf(number), () => new TrainerActor(number));
    }

    private void SpawnDispatcher(SimulatedNode node, string name) => world.PlayRole(
        Roles.Dispatcher, node.Spawn(name, () => new DispatcherActor(new DispatcherSettings(search.Config.Trainers.Attempts, search.Config.Trainers.SilenceSeconds))));

    private void Discard(object request, Action<object?, string?> reply)
    {
        IEnumerable<BlobRef> discarded = ((SearchProtocol.DiscardBlobs)request).Blobs;
        if (world.Plant == Plant.EarlyDiscard && Checks.State.Supernet is { } newest)
            discarded = discarded.Append(newest);
        foreach (BlobRef blob in discarded)
        {
            Blobs.Delete(blob);
            if (Checks.State.BlobsLost == 0 && Checks.State.LiveBlobs.Contains(blob))
                Checks.Violation($"blob {blob.Digest.Short} was discarded, and the search stands on it");
        }

        reply(null, null);
    }
}
