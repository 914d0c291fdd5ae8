using DaNas.Domain.Configuration;
using DaNas.Runtime.Cluster;

namespace DaNas.Drills;

/// <summary>A cluster at work on loopback: all its coordinators are members, and searches run on it one after another.</summary>
internal sealed class DrillScene : IAsyncDisposable
{
    private readonly CancellationTokenSource enough = new();

    private DrillScene(DrillCluster cluster, DrillEnd clean, SearchConfig config)
    {
        (Cluster, Clean) = (cluster, clean);
        Client = cluster.Client();
        Searches = new(Client, config, clean);
        Searching = Searches.RunAsync(enough.Token);
    }

    public DrillCluster Cluster { get; }

    /// <summary>How the search ends on one machine.</summary>
    public DrillEnd Clean { get; }

    public ClusterSession Client { get; }

    public DrillSearches Searches { get; }

    /// <summary>Ends by throwing only, or by <see cref="SeeThroughAsync"/>.</summary>
    public Task Searching { get; }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The scene has it.")]
    public static async Task<DrillScene> SetAsync(DrillRun drill, string journal, int trainers, SearchConfig config)
    {
        DrillEnd clean = drill.Clean("clean");
        DrillScene scene = new(await DrillCluster.StartAsync(
            Path.Combine(drill.Folder.Root, "nodes"), journal, new DrillLayout(2, trainers)), clean, config);
        try
        {
            await DrillSearches.BusyLeaderAsync(scene.Cluster, scene.Searching);
            await scene.Cluster.CompleteAsync();
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>No further search; the running one comes to its end.</summary>
    public async Task SeeThroughAsync()
    {
        await enough.CancelAsync();
        await DrillSearches.SeeThroughAsync(Searching);
    }

    public async ValueTask DisposeAsync()
    {
        await enough.CancelAsync();
        Client.Dispose();
        await Cluster.DisposeAsync();
        enough.Dispose();
    }
}
