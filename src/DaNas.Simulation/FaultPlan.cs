using DaNas.Domain.Values;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>
/// Draws faults and puts them on the agenda: what, when and to whom is a matter of the seed alone. Each fault draws from a sequence of its
/// own, so that others can be left out of a plan and it stays what it is.
/// </summary>
public sealed class FaultPlan
{
    private const int MostHangs = 2;

    private readonly SimulatedWorld world;
    private readonly SimulatedCluster cluster;
    private readonly List<PlannedFault> faults = [];
    private SeededSequence random = new(0);
    private int hangs;

    /// <summary>
    /// So many faults, spread over a duration, and a network that is never quite well; of them those whose numbers are in
    /// <paramref name="only"/>, or all.
    /// </summary>
    public FaultPlan(SimulatedWorld world, SimulatedCluster cluster, (int Count, TimeSpan Over) drawn, IReadOnlyCollection<int>? only)
    {
        this.world = world;
        this.cluster = cluster;
        Action[] kinds =
        [
            CrashCoordinator, CrashTrainer, CrashTrainer, CrashDispatcher, CrashEverything, PauseCoordinator, PauseTrainer, PauseDispatcher,
                KillEngine, KillEngine, SlowTrainer, HangEngine,
            BadNetwork, CutLink, CutLink, FailStore, BlurStore, SlowStore, FillDisk, JumpClock, LoseBlob,
        ];
        SeededSequence drawing = new(world.Random.Next());
        Plan(Weather, TimeSpan.Zero, drawing.Next(), only);
        for (int i = 0; i < drawn.Count; i++)
            Plan(kinds[drawing.Below(kinds.Length)], TimeSpan.FromSeconds(
                drawn.Over.TotalSeconds * drawing.Fraction()), drawing.Next(), only);
        Quiet = faults.Max(f => f.At) + TimeSpan.FromSeconds(150);
        world.After(Quiet, () => (world.Network.Loss, world.Network.Duplication, world.Network.Lateness) = (0, 0, 0));
    }

    /// <summary>When the last fault has passed.</summary>
    public TimeSpan Quiet { get; }

    /// <summary>All that were drawn, also those that were left out.</summary>
    public IReadOnlyList<PlannedFault> Faults => faults;

    /// <summary>How many came before the search was over; the network's weather is not counted.</summary>
    public int Count { get; private set; }

    private void Plan(Action kind, TimeSpan at, ulong seed, IReadOnlyCollection<int>? only)
    {
        PlannedFault fault = new(faults.Count, at, kind.Method.Name);
        faults.Add(fault);
        if (only is not null && !only.Contains(fault.Number))
            return;
        world.After(at, () =>
        {
            if (cluster.IsOver)
                return;
            random = new SeededSequence(seed);
            Count += kind == Weather ? 0 : 1;
            kind();
        });
    }

    private TimeSpan Between(double lowSeconds, double highSeconds) =>
        TimeSpan.FromSeconds(lowSeconds + (random.Fraction() * (highSeconds - lowSeconds)));

    private void Weather()
    {
        world.Network.Loss = random.Fraction() * 0.03;
        world.Network.Duplication = random.Fraction() * 0.03;
        world.Network.Lateness = random.Fraction() * 0.05;
    }

    private void CrashCoordinator() => cluster.Crash(cluster.Coordinator);

    private void CrashTrainer() => cluster.Crash(Any(cluster.Trainers));

    private void CrashDispatcher() => cluster.Crash(cluster.Dispatchers.Count > 0 ? cluster.Dispatchers[0] : cluster.Coordinator);

    private void CrashEverything()
    {
        foreach (SimulatedNode node in world.Nodes)
            cluster.Crash(node);
    }

    private void PauseCoordinator() => cluster.Pause(cluster.Coordinator, Between(1, 60));

    private void PauseTrainer() => cluster.Pause(Any(cluster.Trainers), Between(1, 90));

    private void PauseDispatcher() => cluster.Pause(cluster.Dispatchers.Count > 0
        ? cluster.Dispatchers[0] : cluster.Coordinator, Between(1, 60));

    private void KillEngine() => cluster.EngineOf(Any(cluster.Trainers))?.Kill();

    private void SlowTrainer()
    {
        if (cluster.EngineOf(Any(cluster.Trainers)) is not { } engine)
            return;
        engine.Slowness = Between(2, 20).TotalSeconds;
        world.After(Between(10, 120), () => engine.Slowness = 1);
    }

    private void HangEngine()
    {
        if (hangs < MostHangs && cluster.EngineOf(Any(cluster.Trainers)) is { } engine)
        {
            hangs++;
            engine.HangsNext = true;
        }
    }

    private void BadNetwork()
    {
        (double loss, double duplication, double lateness) = (world.Network.Loss, world.Network.Duplication, world.Network.Lateness);
        world.Network.Loss = 0.3;
        world.Network.Duplication = 0.2;
        world.Network.Lateness = 0.5;
        world.After(Between(5, 60), () => (world.Network.Loss, world.Network.Duplication, world.Network.Lateness) =
            (loss, duplication, lateness));
    }

    private void CutLink()
    {
        SimulatedNode a = Any(world.Nodes);
        SimulatedNode b = Any([.. world.Nodes.Where(n => n != a)]);
        TimeSpan duration = Between(1, 60);
        world.Network.Cut(a.Name, b.Name, duration);
        if (random.Fraction() < 0.5)
            world.Network.Cut(b.Name, a.Name, duration);
    }

    private void FailStore()
    {
        world.Store.Failure = 0.5;
        world.After(Between(1, 30), () => world.Store.Failure = 0);
    }

    private void BlurStore()
    {
        world.Store.Ambiguity = 0.5;
        world.After(Between(1, 30), () => world.Store.Ambiguity = 0);
    }

    private void SlowStore()
    {
        world.Store.SlowestSeconds = 5;
        world.After(Between(5, 60), () => world.Store.SlowestSeconds = 0.003);
    }

    private void FillDisk() => world.Store.Fill(Between(5, 90));

    private void JumpClock() => Any(world.Nodes).Skew = TimeSpan.FromSeconds((random.Fraction() - 0.5) * 7200);

    /// <summary>A blob that the search stands on is gone from the disk.</summary>
    private void LoseBlob()
    {
        BlobRef[] live = [.. cluster.Checks.State.LiveBlobs.Where(cluster.Blobs.Contains)];
        if (live.Length > 0)
            cluster.Blobs.Delete(live[random.Below(live.Length)]);
    }

    private SimulatedNode Any(IReadOnlyList<SimulatedNode> nodes) => nodes[random.Below(nodes.Count)];

}
