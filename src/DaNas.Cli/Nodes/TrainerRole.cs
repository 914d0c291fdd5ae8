using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Logging;
using DaNas.Storage.Http;

namespace DaNas.Cli.Nodes;

/// <summary>The trainers of one node: a host of their own, linked to whoever leads.</summary>
internal sealed class TrainerRole(NodeSettings settings, IStateLog log, BlobClient transfer, Action<string> chatter)
{
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether a leader is linked.</summary>
    public bool IsJoined => link?.IsUp == true;

    private LeaderLink? link;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "Disposed when the role ends.")]
    public async Task RunAsync(IReadOnlyList<string> join, CancellationToken stop)
    {
        string name = $"{settings.Name}~{Guid.NewGuid().ToString("N")[..8]}";
        EmbeddedHost host = new(new HostOptions(), null, log, TimeProvider.System) { Name = name };
        LinkHub hub = new(host);
        host.Links = hub;
        using CancellationTokenSource linked = new();
        TrainerDuties? duties = null;
        using LeaderLink toLeader = new(host, hub, settings.Secret, join) { WaitsAs = settings.Name, Reached = peer => duties?.Announce(peer) };
        link = toLeader;
        await using TrainerDuties trainers = duties = new TrainerDuties(settings, host, transfer, () => toLeader.LeaderFirst, chatter);
        host.OpenPort(ClusterPorts.Transfer, trainers.TransferAsync);
        trainers.Begin();
        Task linking = toLeader.RunAsync(linked.Token);
        await trainers.TidyAsync(stop);
        await host.DisposeAsync();
        await Task.Delay(LastWords, CancellationToken.None);
        await linked.CancelAsync();
        await linking;
    }
}
