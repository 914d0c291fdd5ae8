using DaNas.Domain.Values;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>Draws faults and puts them on the agenda: what, when and to whom is a matter of the seed alone.</summary>
public sealed class FaultPlan(SimulatedWorld world, SimulatedCluster cluster)
{
    private const int MostHangs = 2;

    private int hangs;

    /// <summary>When the last fault has passed.</summary>
    public TimeSpan Quiet { get; private set; }

    public int Count { get; private set; }

    /// <summary>So many faults, spread over a duration.</summary>
    public void Draw(int count, TimeSpan over)
    {
        world.Network.Loss = world.Between(0, 0.03).TotalSeconds;
        world.Network.Duplication = world.Between(0, 0.03).TotalSeconds;
        world.Network.Lateness = world.Between(0, 0.05).TotalSeconds;
        Action[] kinds =
        [
            CrashCoordinator, CrashTrainer, CrashTrainer, CrashDispatcher, CrashEverything, PauseCoordinator, PauseTrainer, PauseDispatcher, KillEngine, KillEngine, SlowTrainer, HangEngine,
            BadNetwork, CutLink, CutLink, FailStore, BlurStore, SlowStore, FillDisk, JumpClock, LoseBlob,
        ];
        for (int i = 0; i < count; i++)
        {
            Action kind = kinds[world.Random.Below(kinds.Length)];
            TimeSpan at = TimeSpan.FromSeconds(over.TotalSeconds * world.Random.Fraction());
            Last(at + TimeSpan.FromSeconds(150));
            world.After(at, () =>
            {
                if (cluster.IsOver)
                    return;
                Count++;
                kind();
            });
        }

        world.After(Quiet, () =>
        {
            world.Network.Loss = 0;
            world.Network.Duplication = 0;
            world.Network.Lateness = 0;
        });
    }

    private void CrashCoordinator() => cluster.Crash(cluster.Coordinator);

    private void CrashTrainer() => cluster.Crash(Any(cluster.Trainers));

    private void CrashDispatcher() => cluster.Crash(cluster.Dispatchers.Count > 0 ? cluster.Dispatchers[0] : cluster.Coordinator);

    private void CrashEverything()
    {
        foreach (SimulatedNode node in world.Nodes)
            cluster.Crash(node);
    }

    private void PauseCoordinator() => cluster.Pause(cluster.Coordinator, world.Between(1, 60));

    private void PauseTrainer() => cluster.Pause(Any(cluster.Trainers), world.Between(1, 90));

    private void PauseDispatcher() => cluster.Pause(cluster.Dispatchers.Count > 0 ? cluster.Dispatchers[0] : cluster.Coordinator, world.Between(1, 60));

    private void KillEngine() => cluster.EngineOf(Any(cluster.Trainers))?.Kill();

    private void SlowTrainer()
    {
        if (cluster.EngineOf(Any(cluster.Trainers)) is not { } engine)
            return;
        engine.Slowness = world.Between(2, 20).TotalSeconds;
        world.After(world.Between(10, 120), () => engine.Slowness = 1);
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
        world.After(world.Between(5, 60), () => (world.Network.Loss, world.Network.Duplication, world.Network.Lateness) = (loss, duplication, lateness));
    }

    private void CutLink()
    {
        SimulatedNode a = Any(world.Nodes);
        SimulatedNode b = Any(world.Nodes);
        TimeSpan duration = world.Between(1, 60);
        world.Network.Cut(a.Name, b.Name, duration);
        if (world.Chance(0.5))
            world.Network.Cut(b.Name, a.Name, duration);
    }

    private void FailStore()
    {
        world.Store.Failure = 0.5;
        world.After(world.Between(1, 30), () => world.Store.Failure = 0);
    }

    private void BlurStore()
    {
        world.Store.Ambiguity = 0.5;
        world.After(world.Between(1, 30), () => world.Store.Ambiguity = 0);
    }

    private void SlowStore()
    {
        world.Store.SlowestSeconds = 5;
        world.After(world.Between(5, 60), () => world.Store.SlowestSeconds = 0.003);
    }

    private void FillDisk() => world.Store.Fill(world.Between(5, 90));

    private void JumpClock() => Any(world.Nodes).Skew = TimeSpan.FromSeconds((world.Random.Fraction() - 0.5) * 7200);

    /// <summary>A blob that the search stands on is gone from the disk.</summary>
    private void LoseBlob()
    {
        BlobRef[] live = [.. cluster.Checks.State.LiveBlobs.Where(cluster.Blobs.Contains)];
        if (live.Length > 0)
            cluster.Blobs.Delete(live[world.Random.Below(live.Length)]);
    }

    private SimulatedNode Any(IReadOnlyList<SimulatedNode> nodes) => nodes[world.Random.Below(nodes.Count)];

    private void Last(TimeSpan at) => Quiet = at > Quiet ? at : Quiet;
}
