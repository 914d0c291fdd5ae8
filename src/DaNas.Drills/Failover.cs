using System.Diagnostics;
using System.Text.Json.Serialization;
using DaNas.Actors.Logging;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>
/// What a failover drill found: seconds from the fault to the next stored round or score, from a trainer's loss to its unit's next start,
/// and from a frozen trainer's waking to its registration.
/// </summary>
internal sealed record FailoverResult(
    double KilledMedianSeconds, double FrozenMedianSeconds, double TrainerKilledMedianSeconds, IReadOnlyList<double> Killed,
    IReadOnlyList<double> Frozen, IReadOnlyList<double> TrainerKilled, IReadOnlyList<double> UnitElsewhere,
    IReadOnlyList<double> TrainerBack, int Searches, bool HashesEqual, IReadOnlyList<string> Failures)
{
    /// <summary>The result in a sentence.</summary>
    [JsonIgnore]
    public string Sentence =>
        Invariant($"time to the next progress, medians of {Killed.Count}: leader killed {KilledMedianSeconds:0.00} s, " +
        $"leader frozen {FrozenMedianSeconds:0.00} s, trainer killed {TrainerKilledMedianSeconds:0.00} s; unit of a lost trainer " +
        $"reassigned after at most {Most(UnitElsewhere):0.00} s ({UnitElsewhere.Count} units); frozen trainer back after at most " +
        $"{Most(TrainerBack):0.00} s; {Searches} searches, hashes {(HashesEqual ? "equal" : "DIFFERENT")}");

    private static double Most(IReadOnlyList<double> seconds) => seconds.Count == 0 ? double.NaN : seconds.Max();
}

/// <summary>
/// Searches on a cluster of two coordinators and some trainers, whose leader is killed or frozen again and again, and trainers killed
/// between. What was killed is started again, what was frozen is woken; every search that ends must have ended as the one on a single
/// machine.
/// </summary>
internal sealed class Failover(DrillScene scene, int trainers, Action<string> say)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(4);
    /// <summary>A new search's first units wait for the trainers' processes to start: that is not what is measured.</summary>
    private static readonly TimeSpan TrainersStart = TimeSpan.FromSeconds(10);

    private const double FrozenSeconds = 14;

    private static readonly TimeSpan TrainerFrozen = TimeSpan.FromSeconds(5);

    private readonly List<string> failures = [];
    private readonly List<double> killed = [];
    private readonly List<double> frozen = [];
    private readonly List<double> trainerKilled = [];
    private readonly List<double> unitElsewhere = [];
    private readonly List<double> trainerBack = [];

    public async Task<FailoverResult> RunAsync(int runs)
    {
        (DrillCluster cluster, DrillSearches searches, Task searching) = (scene.Cluster, scene.Searches, scene.Searching);
        say(Invariant($"fault-free, on one machine: decision {scene.Clean.DecisionHash[..12]}, weights {scene.Clean.WeightsHash[..12]}"));
        await Task.Delay(TrainersStart);
        for (int i = 0; i < runs; i++)
        {
            await LeaderAsync(cluster, searching, killed, new("killed", 0, cluster.Kill, cluster.Start));
            await LeaderAsync(cluster, searching, frozen, new("frozen", FrozenSeconds, cluster.Freeze, cluster.Thaw));
            await TrainerAsync(cluster, i);
            await FrozenTrainerAsync(cluster, i);
            say(Invariant($"run {i + 1}: next progress after {Last(killed)} s (leader killed), {Last(frozen)} s (frozen), " +
                $"{Last(trainerKilled)} s (trainer killed); {searches.Ended} searches ended, " +
                $"{failures.Count + searches.Failures.Count} failures"));
        }

        await scene.SeeThroughAsync();
        bool equal = searches.Failures.Count == 0 && searches.Ended > 0;
        failures.AddRange(searches.Failures);
        return new(Median(killed), Median(frozen), Median(trainerKilled), killed, frozen, trainerKilled, unitElsewhere, trainerBack,
            searches.Ended, equal, failures);
    }

    /// <summary>Strikes the leader while rounds are being stored, waits for the next one under another leader, and mends it.</summary>
    private async Task LeaderAsync(DrillCluster cluster, Task searching, List<double> times, Strike strike)
    {
        await cluster.CompleteAsync(); // One that was started again is no standby before it is a member.
        DrillNode leader = await DrillSearches.BusyLeaderAsync(cluster, searching);
        strike.Begin(leader);
        DateTimeOffset at = DateTimeOffset.UtcNow;
        long struck = Stopwatch.GetTimestamp();
        times.Add(await SecondsAsync(cluster, at, $"leader {leader.Name}"));
        TimeSpan rest = TimeSpan.FromSeconds(strike.Seconds) - Stopwatch.GetElapsedTime(struck);
        await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        strike.End(leader);
        await Task.Delay(Settle);
    }

    private async Task TrainerAsync(DrillCluster cluster, int run)
    {
        DrillNode victim = cluster.Nodes.Where(n => n.Role == NodeSettings.Trainer).ElementAt(run % trainers);
        DateTimeOffset at = DateTimeOffset.UtcNow;
        cluster.Kill(victim);
        if (trainers == 1)
            cluster.Start(victim); // Nobody else could go on.
        trainerKilled.Add(await SecondsAsync(cluster, at, $"trainer {victim.Name}"));
        await Task.Delay(Settle);
        if (Elsewhere(cluster, victim, at) is { } seconds)
            unitElsewhere.Add(seconds);
        if (trainers > 1)
            cluster.Start(victim);
        await Task.Delay(Settle);
    }

    /// <summary>
    /// By the leader's log: seconds from the loss of a trainer to the moment when its unit was given to another one; null where it had
    /// none.
    /// </summary>
    private static double? Elsewhere(DrillCluster cluster, DrillNode victim, DateTimeOffset at)
    {
        LogLine[] lines = cluster.LinesSince(at);
        LogLine? lost = Array.Find(lines, l => l.Id == (int)LogEvent.DispatcherTrainerLost
            && l.Cause!.Contains($"//{victim.Advertised.Remoting}/", StringComparison.Ordinal));
        LogLine? failed = lost is null ? null : Array.Find(lines, l => l.Id == (int)LogEvent.DispatcherUnitFailed && l.At >= lost.At);
        LogLine? again = failed is null ? null : Array.Find(
            lines, l => l.Id == (int)LogEvent.DispatcherUnitLeased && l.Unit == failed.Unit && l.At >= lost!.At);
        return again is null ? null : Math.Round((again.At - lost!.At).TotalSeconds, 3);
    }

    /// <summary>Freezes a trainer until it is taken for lost, and times from its waking to its registration; in the same process.</summary>
    private async Task FrozenTrainerAsync(DrillCluster cluster, int run)
    {
        DrillNode victim = cluster.Nodes.Where(n => n.Role == NodeSettings.Trainer).ElementAt((run + 1) % trainers);
        int process = cluster.ProcessOf(victim);
        cluster.Freeze(victim);
        await Task.Delay(TrainerFrozen);
        DateTimeOffset woken = DateTimeOffset.UtcNow;
        cluster.Thaw(victim);
        await Task.Delay(Settle);
        if (cluster.Returned(victim, woken) is { } seconds)
            trainerBack.Add(seconds);
        else
            failures.Add($"trainer {victim.Name} had not come back {Settle.TotalSeconds:0} s after it was resumed");
        if (cluster.ProcessOf(victim) != process)
            failures.Add($"trainer {victim.Name} was frozen and terminated");
    }

    private async Task<double> SecondsAsync(DrillCluster cluster, DateTimeOffset at, string what)
    {
        if (await cluster.NextUsefulAsync(at, Patience) is { } next)
            return Math.Round((next - at).TotalSeconds, 2);
        failures.Add($"no progress within {Patience.TotalSeconds:0} s after the fault: {what}");
        return Patience.TotalSeconds;
    }

    private static string Last(List<double> times) => Invariant($"{times[^1]:0.0}");

    private static double Median(List<double> times) => times.Count == 0 ? double.NaN : times.Order().ElementAt(times.Count / 2);
}
