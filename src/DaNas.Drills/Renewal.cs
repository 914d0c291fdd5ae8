using DaNas.Actors.Cluster;
using DaNas.Actors.Logging;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>What a round of renewed certificates cost: units lost or run again, which must be none.</summary>
internal sealed record RenewalResult(int NodesRenewed, int Searches, int UnitsLost, IReadOnlyList<string> UnitsRunAgain,
    IReadOnlyList<string> Failures);

/// <summary>
/// Node after node gets another certificate while searches run: drained, ended, started with the new one, activated; the leader last.
/// </summary>
internal sealed class Renewal(DrillScene scene, Action<string> say)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly List<string> failures = [];

    public async Task<RenewalResult> RunAsync()
    {
        (DrillCluster cluster, ClusterSession client) = (scene.Cluster, scene.Client);
        DrillNode? first = await cluster.LeaderAsync();
        DateTimeOffset from = DateTimeOffset.UtcNow;
        DrillNode[] order = [.. cluster.Nodes.OrderBy(n => n.Role == NodeSettings.Coordinator).ThenBy(n => n == first)];
        foreach (DrillNode node in order)
            await RenewAsync(cluster, client, node);
        await DrillSearches.BusyLeaderAsync(cluster, scene.Searching);
        LogLine[] lines = cluster.LinesSince(from);
        LogLine[] lost = [.. lines.Where(l => l.Id is (int)LogEvent.DispatcherUnitFailed)];
        await scene.SeeThroughAsync();
        IReadOnlyList<string> again = cluster.UnitsRunAgain();
        failures.AddRange(scene.Searches.Failures);
        failures.AddRange(lost.Select(l => $"{l.At:HH:mm:ss.fff} {l.Search}/{l.Unit} was lost: {l.Cause}"));
        failures.AddRange(lines.Where(l => l.Id is (int)LogEvent.ClusterSteppedDown)
            .Select(l => $"{l.At:HH:mm:ss.fff} {l.Actor} did not shut down as requested: {l.Cause}"));
        failures.AddRange(again.Select(u => $"{u} was run again"));
        return new(order.Length, scene.Searches.Ended, lost.Length, again, failures);
    }

    private async Task RenewAsync(DrillCluster cluster, ClusterSession client, DrillNode node)
    {
        bool trains = node.Role == NodeSettings.Trainer;
        if (trains)
        {
            await client.SetDutyAsync(node.Name, NodeDuty.Draining, CancellationToken.None);
            int idle = 0; // The leader counts once a second: a unit that was given just before must be seen.
            await UntilAsync($"{node.Name} is drained", async () => (idle = (await client.NodesAsync(CancellationToken.None))
                .Any(n => n.Node.Name == node.Name && n.Busy > 0) ? 0 : idle + 1) > 8);
        }

        await cluster.StopAsync(node);
        cluster.Issue(node.Name, node.Host);
        cluster.Start(node);
        await cluster.ReadyAsync(node);
        if (trains)
        {
            await UntilAsync($"{node.Name} is back", async () => (await client.NodesAsync(CancellationToken.None))
                .Any(n => n.Node.Name == node.Name && n.Connected));
            await client.SetDutyAsync(node.Name, NodeDuty.Active, CancellationToken.None);
        }

        say($"{node.Name} has a new certificate");
    }

    private static async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        DateTimeOffset until = DateTimeOffset.UtcNow + Patience;
        while (!await holds())
        {
            if (DateTimeOffset.UtcNow > until)
                throw new InvalidDataException($"not within {Patience.TotalMinutes:0} min: {what}");
            await Task.Delay(250);
        }
    }
}
