using System.Diagnostics;
using DaNas.Actors.Logging;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>What a cluster did that nobody struck; each line under failures is one too many.</summary>
internal sealed record ClusterSoakResult(double Minutes, int Searches, long NewTerms, int TrainersLost, int NodesLost, int SystemsEnded,
    IReadOnlyList<string> Failures);

/// <summary>
/// Two coordinators and three trainers, each of which keeps a core busy, left alone for long: nobody may take anybody for dead.
/// </summary>
internal sealed class ClusterSoak(DrillScene scene, Action<string> say)
{
    public async Task<ClusterSoakResult> RunAsync(double minutes)
    {
        (DrillCluster cluster, DrillSearches searches, Task searching) = (scene.Cluster, scene.Searches, scene.Searching);
        DateTimeOffset from = DateTimeOffset.UtcNow;
        long term = await cluster.TermAsync();
        Stopwatch clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalMinutes < minutes && !searching.IsCompleted)
        {
            await Task.WhenAny(searching, Task.Delay(TimeSpan.FromMinutes(Math.Min(1, minutes))));
            long more = await cluster.TermAsync() - term;
            say(Invariant($"{clock.Elapsed.TotalMinutes:0.0} of {minutes:0.#} min, {searches.Ended} searches, {more} new terms"));
        }

        LogLine[] lines = cluster.LinesSince(from);
        long terms = await cluster.TermAsync() - term;
        await scene.SeeThroughAsync();
        List<string> failures = [.. searches.Failures, .. lines.Where(IsFault)
            .Select(l => $"{l.At:HH:mm:ss.fff} {l.Id} {l.Event}: {l.Cause}")];
        if (terms > 0)
            failures.Add($"{terms} new terms");
        return new(Math.Round(clock.Elapsed.TotalMinutes, 1), searches.Ended, terms, Count(LogEvent.DispatcherTrainerLost),
            Count(LogEvent.ClusterNodeLost), Count(LogEvent.ClusterSteppedDown), failures);

        int Count(LogEvent e) => lines.Count(l => l.Id == (int)e);
    }

    private static bool IsFault(LogLine line) => (LogEvent)line.Id is LogEvent.DispatcherTrainerLost or LogEvent.ClusterNodeLost
        or LogEvent.ClusterSteppedDown or LogEvent.DispatcherUnitFailed;
}
