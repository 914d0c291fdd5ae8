using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Logging;
using DaNas.Actors.Trainers;
using DaNas.Storage.Http;
using DaNas.Torch;

namespace DaNas.Cli.Nodes;

/// <summary>The trainers of one node: a host of their own, linked to whoever leads.</summary>
internal sealed class TrainerRole(NodeSettings settings, IStateLog log, BlobClient transfer, Action<string> chatter)
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(30);
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
        NodeInfo info = new(settings.Name, settings.Advertise, settings.Trainers, TorchBinding.Name);
        Questions questions = new(host);
        using LeaderLink toLeader = new(host, hub, settings.Secret, join) { WaitsAs = settings.Name, Reached = peer => Announce(host, peer) };
        link = toLeader;
        NodeBlobs blobs = new(settings, transfer, () => toLeader.LeaderFirst);
        NodeTrainer[] trainers = [.. Enumerable.Range(0, settings.Trainers).Select(i => new NodeTrainer(i, settings, questions, blobs, text => chatter($"trainer {i}: {text}")))];
        try
        {
            host.OpenPort(ClusterPorts.Transfer, async (message, _) => await TransferAsync(blobs, message));
            host.OpenPort(ClusterPorts.Local, async (message, cancel) => await NodeTrainer.DescribeAsync(settings, ((ClusterPorts.DescribeHere)message).Configuration, cancel));
            for (int i = 0; i < trainers.Length; i++)
            {
                NodeTrainer trainer = trainers[i];
                int number = i;
                host.OpenPort(Actors.Ports.Engine(i), async (request, cancel) => await trainer.RunAsync((DispatchProtocol.RunAttempt)request, cancel));
                host.OpenPort(Actors.Ports.Pulse(i), (_, _) => Task.FromResult<object?>(trainer.SilentSeconds));
                host.Spawn(TrainerActor.NameOf(i), () => new TrainerActor(number));
            }

            host.Spawn(NodeActor.Name, () => new NodeActor(info));
            Task linking = toLeader.RunAsync(linked.Token);
            try
            {
                while (true)
                {
                    await Task.Delay(TidyEvery, stop);
                    foreach (NodeTrainer trainer in trainers)
                        await trainer.CloseIdleAsync();
                }
            }
            catch (OperationCanceledException)
            {
                // Asked to end: the actors say so to whoever watches them, and their units run elsewhere.
            }

            await host.DisposeAsync();
            await Task.Delay(LastWords, CancellationToken.None);
            await linked.CancelAsync();
            await linking;
        }
        finally
        {
            foreach (NodeTrainer trainer in trainers)
                await trainer.DisposeAsync();
        }
    }

    private void Announce(EmbeddedHost host, string peer)
    {
        host.Tell(host.AddressOf(NodeActor.Name), new NodeActor.LeaderChanged(peer));
        for (int i = 0; i < settings.Trainers; i++)
            host.Tell(host.AddressOf(TrainerActor.NameOf(i)), new TrainerActor.DispatcherChanged());
    }

    private async Task<object?> TransferAsync(NodeBlobs blobs, object message)
    {
        switch (message)
        {
            case ClusterProtocol.Roster roster:
                blobs.Know(roster);
                break;
            case ClusterProtocol.Discard discard:
                NodeDiscards.Discard(settings, discard.Search, discard.Blobs);
                break;
            case ClusterProtocol.Keep keep:
                await Task.Run(() => NodeDiscards.Keep(settings, keep, DateTime.UtcNow));
                break;
        }

        return null;
    }
}
