using System.Diagnostics;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>What a kill loop found. Goodput: accepted training seconds a second of wall time, as a share of the clean search's.</summary>
internal sealed record KillLoopResult(
    int Kills, int CoordinatorKills, int Searches, int Different, double Goodput, double PlainGoodput, double RecoveryMedianSeconds,
        double RecoveryWorstSeconds, int KilledBeforeRecovery, double Minutes, int Seed, IReadOnlyList<string> Failures);

/// <summary>
/// Random process, random moment, kill -9, again and again; what dies is started again at once. Searches that end are compared with the
/// clean one, and every journal must begin with what was in it before.
/// </summary>
internal sealed class KillLoop(DrillRun drill, Action<string> say, double meanSeconds, int seed)
{
    private readonly Random random = new(seed);
    private readonly List<string> failures = [];
    private readonly List<double> recoveries = [];
    private int kills;
    private int coordinatorKills;
    private int killedBefore;
    private double useful;

    public KillLoopResult Run(double minutes, double plainMinutes)
    {
        DrillEnd clean = drill.Clean("clean");
        SearchRecord record = drill.Load("clean")!;
        double cleanRate = UsefulSeconds(record.Events.Count, record) / record.ActiveSeconds;
        say(Invariant($"fault-free: {record.ActiveSeconds:0.0} s active, {cleanRate:0.00} training seconds per second, decision " +
            $"{clean.DecisionHash[..12]}"));
        Stopwatch clock = Stopwatch.StartNew();
        int searches = 0;
        while (clock.Elapsed.TotalMinutes < minutes)
        {
            string id = Invariant($"killed-{searches}");
            if (Survive(id, () => clock.Elapsed.TotalMinutes < minutes) && DrillEnd.Of(drill.Load(id)!) != clean)
                failures.Add($"{id}: {DrillEnd.Of(drill.Load(id)!)} instead of {clean}");
            searches++;
            say(Invariant($"{clock.Elapsed.TotalMinutes:0.0} min: {searches} searches ended, {kills} kills, {failures.Count} failures " +
                $"{(failures.Count > 0 ? failures[^1] : string.Empty)}"));
        }

        double goodput = useful / clock.Elapsed.TotalSeconds / cleanRate;
        double plain = plainMinutes > 0 ? PlainGoodput(plainMinutes) : double.NaN;
        double[] sorted = [.. recoveries.Order()];
        return new(
            kills, coordinatorKills, searches, failures.Count, goodput, plain, sorted.Length > 0 ? sorted[sorted.Length / 2] : double.NaN,
                sorted.Length > 0 ? sorted[^1] : double.NaN, killedBefore, clock.Elapsed.TotalMinutes, seed, failures);
    }

    /// <summary>One search under kills until it ends; after the time is up it is left alone to end.</summary>
    private bool Survive(string id, Func<bool> stillKilling)
    {
        int seen = 0;
        string chain = string.Empty;
        DateTimeOffset? killedAt = null;
        while (true)
        {
            using Process process = drill.Begin(id, null);
            bool killed = KillSomebody(process, stillKilling);
            if (drill.Load(id) is { } record)
            {
                if (record.Events.Count < seen || (seen > 0 && record.Events[seen - 1].Chain != chain))
                    failures.Add($"{id}: the first {seen} events have changed");
                NoteRecovery(record, seen, killedAt);
                useful += UsefulSeconds(record.Events.Count, record) - UsefulSeconds(seen, record);
                (seen, chain) = (record.Events.Count, record.Events[^1].Chain);
            }

            if (!killed)
                return process.ExitCode == ExitCode.Done || Fail(id, process.ExitCode);
            killedAt = DateTimeOffset.UtcNow;
        }
    }

    private bool Fail(string id, int code)
    {
        failures.Add($"{id}: exit code {code}");
        return false;
    }

    /// <summary>Kills trainers, until it kills the coordinator (true) or the search ends (false).</summary>
    private bool KillSomebody(Process coordinator, Func<bool> stillKilling)
    {
        while (true)
        {
            TimeSpan wait = TimeSpan.FromSeconds(-meanSeconds * Math.Log(1 - random.NextDouble()));
            if (coordinator.WaitForExit(wait))
                return false;
            if (!stillKilling())
            {
                DrillRun.WaitFor(coordinator);
                return false;
            }

            IReadOnlyList<int> tree = DrillRun.Tree(coordinator.Id);
            int victim = random.Next(tree.Count);
            kills++;
            try
            {
                Process.GetProcessById(tree[victim]).Kill();
            }
            catch (ArgumentException)
            {
                kills--; // It had ended by itself.
                continue;
            }

            if (victim > 0)
                continue;
            coordinatorKills++;
            coordinator.WaitForExit();
            return true;
        }
    }

    /// <summary>From kill -9 of the coordinator (its trainers end with it) to the next stored round, score or result.</summary>
    private void NoteRecovery(SearchRecord record, int seen, DateTimeOffset? killedAt)
    {
        if (killedAt is not { } from)
            return;
        DateTimeOffset? useful = record.Events.Skip(seen)
            .Where(e => e.Event is SearchEvent.RoundCompleted or SearchEvent.BlockScored or SearchEvent.ProxyMeasured
                or SearchEvent.SegmentCompleted or SearchEvent.ArchitectureScored)
            .Select(e => (DateTimeOffset?)e.Created).FirstOrDefault();
        if (useful is { } at)
            recoveries.Add((at - from).TotalSeconds);
        else
            killedBefore++; // Killed again before anything useful was stored: how long it would have taken is not known.
    }

    /// <summary>The same work in one process that saves at the end of each epoch, under the same kills.</summary>
    private double PlainGoodput(double minutes)
    {
        string file = Path.Combine(drill.Folder.Root, "plain.jsonl");
        string[] arguments = ["drill", "plain", file, Path.Combine(drill.Folder.Root, "searches", "clean", "config.json")];
        PlainScript.WriteConfiguration(drill.Load("clean")!, arguments[^1]);
        using (Process clean = ThisProgram.Launch(arguments))
            DrillRun.WaitFor(clean);
        double cleanRate = PlainScript.Useful(file, out double cleanSeconds) / cleanSeconds;
        Stopwatch clock = Stopwatch.StartNew();
        double kept = 0;
        File.Delete(file);
        while (clock.Elapsed.TotalMinutes < minutes)
        {
            using Process process = ThisProgram.Launch(arguments);
            TimeSpan wait = TimeSpan.FromSeconds(-meanSeconds * Math.Log(1 - random.NextDouble()));
            if (!process.WaitForExit(wait))
            {
                process.Kill(true);
                process.WaitForExit();
            }
            else
            {
                kept += PlainScript.Useful(file, out _);
                File.Delete(file);
            }
        }

        kept += File.Exists(file) ? PlainScript.Useful(file, out _) : 0;
        return kept / clock.Elapsed.TotalSeconds / cleanRate;
    }

    /// <summary>Seconds that the accepted units among the first events took.</summary>
    private static double UsefulSeconds(int count, SearchRecord record) =>
        record.Events.Take(count).Sum(e => Seconds((SearchEvent)e.Event));

    public static double Seconds(SearchEvent e) => e switch
    {
        SearchEvent.ProxyMeasured x => x.Timing.Seconds,
        SearchEvent.RoundCompleted x => x.Timing.Seconds,
        SearchEvent.EvidenceGathered x => x.Timing.Seconds,
        SearchEvent.BlocksTested x => x.Timing.Seconds,
        SearchEvent.ArchitectureScored x => x.Timing.Seconds,
        SearchEvent.SegmentCompleted x => x.Timing.Seconds,
        _ => 0,
    };
}
