using System.Diagnostics;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Runtime.Processes;

namespace DaNas.Drills;

/// <summary>What a sweep found.</summary>
internal sealed record SweepResult(int EventPoints, int BlobPoints, int Independent, int Different, double Seconds,
    IReadOnlyList<string> Failures);

/// <summary>
/// kill -9 just before and just after events and blobs become durable. Chained: one search dies at a point, is resumed, dies at the next
/// one, to its end. Independent: searches that die once, at a drawn point. All must end as the clean search did.
/// </summary>
internal sealed class Sweep(DrillRun drill, Action<string> say)
{
    private readonly List<string> failures = [];
    private int eventPoints;
    private int blobPoints;

    public SweepResult Run(int mostPoints, int stride, int independent, int seed)
    {
        Stopwatch clock = Stopwatch.StartNew();
        DrillEnd clean = drill.Clean("clean");
        int events = DrillRun.Counted(drill.Load("clean"));
        say(Invariant($"fault-free: {events} events, {clock.Elapsed.TotalSeconds:0.0} s, decision {clean.DecisionHash[..12]}, weights " +
            $"{clean.WeightsHash[..12]}"));
        Chain("chain", mostPoints, stride);
        Compare("chain", clean);
        say(Invariant($"chain: {eventPoints} event points and {blobPoints} blob points in one search, {clock.Elapsed.TotalSeconds:0} s"));
        Random random = new(seed);
        for (int i = 0; i < independent; i++)
            Independent($"single-{i}", clean, events, random);
        if (independent > 0)
            say(Invariant($"independent: {independent} searches killed once, {clock.Elapsed.TotalSeconds:0} s"));
        return new(eventPoints, blobPoints, independent, failures.Count, clock.Elapsed.TotalSeconds, failures);
    }

    /// <summary>
    /// Each process dies at the next point: a blob where units are due, else an event. Events of one transaction are stored together, so a
    /// death among them is followed by one further on.
    /// </summary>
    private void Chain(string id, int mostPoints, int stride)
    {
        int offset = stride;
        bool after = false;
        bool blobAfter = false;
        bool blobs = true;
        while (eventPoints + blobPoints < mostPoints)
        {
            int before = DrillRun.Counted(drill.Load(id));
            string target = after ? $"{FaultPoints.EventAfter}:{offset}"
                : !blobs ? $"{FaultPoints.EventBefore}:{offset}"
                : $"{(blobAfter ? FaultPoints.BlobAfter : FaultPoints.BlobBefore)}:1,{FaultPoints.EventBefore}:{offset}";
            using Process process = drill.Begin(id, target);
            int code = DrillRun.WaitFor(process);
            if (code == ExitCode.Done)
                return;
            string? hit = Reached(code);
            if (hit is null)
            {
                failures.Add($"{target}: exit code {code}");
                return;
            }

            if (hit.StartsWith("blob", StringComparison.Ordinal))
            {
                blobPoints++;
                blobs = stride == 1 || !blobAfter; // With a stride, one blob a step.
                blobAfter = !blobAfter;
                continue;
            }

            eventPoints++;
            blobs = true;
            blobAfter = false;
            bool stored = DrillRun.Counted(drill.Load(id)) > before;
            (after, offset) = after ? (false, stored ? stride : offset + stride) : (true, offset);
        }
    }

    private void Independent(string id, DrillEnd clean, int events, Random random)
    {
        string site = random.Next(3) switch
        {
            0 => FaultPoints.EventBefore,
            1 => FaultPoints.EventAfter,
            _ => random.Next(2) == 0
            ? FaultPoints.BlobBefore : FaultPoints.BlobAfter
        };
        int count = site.StartsWith("blob", StringComparison.Ordinal) ? random.Next(1, 12) : random.Next(1, events + 1);
        using (Process process = drill.Begin(id, $"{site}:{count}"))
        {
            int code = DrillRun.WaitFor(process);
            if (code != ExitCode.Done && Reached(code) is null)
                failures.Add($"{id} {site}:{count}: exit code {code}");
        }

        Compare(id, clean, $"{site}:{count}");
    }

    /// <summary>The end of a search, resumed without faults where it is not over.</summary>
    private void Compare(string id, DrillEnd clean, string? point = null)
    {
        if (drill.Load(id)?.State.Phase is not SearchPhase.Completed)
        {
            using Process process = drill.Begin(id, null);
            DrillRun.WaitFor(process);
        }

        DrillEnd? end = drill.Load(id) is { } record ? DrillEnd.Of(record) : null;
        if (end != clean)
            failures.Add($"{id} {point}: {end?.ToString() ?? "did not end"} instead of {clean}");
    }

    /// <summary>Which point killed the process; null where it ended otherwise.</summary>
    private string? Reached(int code)
    {
        if (code != 137 || !File.Exists(drill.ReachedFile))
            return null;
        string hit = File.ReadAllText(drill.ReachedFile);
        File.Delete(drill.ReachedFile);
        return hit;
    }
}
