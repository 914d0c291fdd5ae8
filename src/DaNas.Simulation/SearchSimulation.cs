using DaNas.Actors.Logging;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>
/// One search under drawn faults, checked: safety at every step, liveness after the faults have stopped, the clean run's end.
/// </summary>
public static class SearchSimulation
{
    private const double MeanUnitSeconds = 4;

    /// <summary>Faults that must pass before a scenario counts: 20 at least.</summary>
    private const int FewestFaults = 20;

    public static SimulationResult Run(SimulatedSearch search, CleanRun clean, long seed, SimulationOptions? options = null)
    {
        options ??= new SimulationOptions();
        SimulatedWorld world = new((ulong)SeededRandom.Derive(seed, "simulation"));
        int trainers = 1 + world.Random.Below(6);
        TimeSpan expected = TimeSpan.FromSeconds(clean.Units * MeanUnitSeconds / trainers);
        SimulatedCluster cluster = new(world, search, new ClusterLayout(trainers, world.Chance(0.5)), u => Seconds(seed, u),
            (options.Plant, options.Log ?? SilentLog.Instance));
        FaultPlan faults = new(world, cluster, (FewestFaults + world.Random.Below(20), expected), options.Only);
        TimeSpan limit = faults.Quiet + (expected * 4) + TimeSpan.FromHours(1);
        if (!world.RunUntil(() => cluster.IsOver || cluster.Checks.Violations.Count > 0, limit))
            cluster.Checks.Violation($"the search does not end: {cluster.Checks.State.Phase.GetType().Name} after " +
                $"{cluster.Checks.Events.Count} events");
        else if (cluster.Checks.Violations.Count == 0)
            cluster.Checks.CompareWith(clean);
        return new(seed, cluster.Checks.Violations, cluster.Engines.Sum(e => e.Begun), cluster.Checks.Events.Count, faults.Count,
            world.Network.Sent, world.Elapsed)
        { History = world.History.Value, Turns = world.Turns, Plan = faults.Faults };
    }

    /// <summary>How long a unit takes is a matter of the unit: 1 to 7 seconds.</summary>
    private static double Seconds(long seed, WorkUnit unit) =>
        1 + (new SeededRandom(SeededRandom.Derive(seed, "seconds", unit.Id)).NextDouble() * 2 * (MeanUnitSeconds - 1));

    private sealed class SilentLog : IStateLog
    {
        public static SilentLog Instance { get; } = new();

        public void Write(string actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
