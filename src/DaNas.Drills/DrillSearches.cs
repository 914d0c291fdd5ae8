using DaNas.Domain.Configuration;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>
/// A fault: what it is called, how long it lasts, what is done to the leader (or with its help to others), and what ends it.
/// </summary>
internal sealed record Strike(string Name, double Seconds, Action<DrillNode> Begin, Action<DrillNode> End)
{
    /// <summary>Whether the search must go on while the fault lasts.</summary>
    public bool MustGoOn { get; init; }
}

/// <summary>Searches on a drill's cluster, one after another; each must end as the one on a single machine did.</summary>
internal sealed class DrillSearches(ClusterSession client, SearchConfig config, DrillEnd clean)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public int Ended { get; private set; }

    public List<string> Failures { get; } = [];

    /// <summary>Until enough; the running one is seen through.</summary>
    public async Task RunAsync(CancellationToken enough)
    {
        for (int n = 0; !enough.IsCancellationRequested; n++)
        {
            string id = Invariant($"drill-{n}");
            await SubmitAsync(id);
            SearchRecord record = await client.FollowAsync(id, (_, _) => { }, _ => { }, CancellationToken.None);
            Ended++;
            if (DrillEnd.Of(record) is not { } end || end != clean)
                Failures.Add($"{id} ended as {DrillEnd.Of(record)?.ToString() ?? record.Status}, not as {clean}");
        }
    }

    /// <summary>The leader, at a moment when progress is being made.</summary>
    public static async Task<DrillNode> BusyLeaderAsync(DrillCluster cluster, Task searching)
    {
        for (int tries = 0; tries < 3; tries++)
        {
            if (searching.IsCompleted)
                await searching; // It throws.
            if (await cluster.NextUsefulAsync(DateTimeOffset.UtcNow, Patience) is not null && await cluster.LeaderAsync() is { } leader)
                return leader;
        }

        throw new InvalidDataException($"the cluster has not stored a round or a score for {3 * Patience.TotalMinutes:0} " +
            $"minutes, or has no leader");
    }

    /// <summary>Lets the running search end. One that does not is a defect, and not waited for.</summary>
    public static async Task SeeThroughAsync(Task searching)
    {
        try
        {
            await searching.WaitAsync(TimeSpan.FromMinutes(10));
        }
        catch (TimeoutException e)
        {
            throw new InvalidDataException("a search of the drill does not finish", e);
        }
    }

    /// <summary>Again and again: in a drill there may be nobody to answer for a while.</summary>
    private async Task SubmitAsync(string id)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                await client.SubmitAsync(id, config, _ => { }, CancellationToken.None);
                return;
            }
            catch (UsageException) when (tries < 5)
            {
                await Task.Delay(1000);
            }
        }
    }
}
