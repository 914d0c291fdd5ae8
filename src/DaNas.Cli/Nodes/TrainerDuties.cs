using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Trainers;
using DaNas.Storage.Http;
using DaNas.Torch;

namespace DaNas.Cli.Nodes;

/// <summary>The trainers of one node, whichever host runs them: their actors, and behind the ports their processes and blobs.</summary>
internal sealed class TrainerDuties(NodeSettings settings, IActorHost host, BlobClient transfer, Func<IReadOnlyList<string>> leaderFirst, Action<string> chatter) : IAsyncDisposable
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(30);

    private readonly NodeBlobs blobs = new(settings, transfer, leaderFirst);
    private NodeTrainer[] trainers = [];

    public void Begin()
    {
        Questions questions = new(host);
        trainers = [.. Enumerable.Range(0, settings.Trainers).Select(i => new NodeTrainer(i, settings, questions, blobs, text => chatter($"trainer {i}: {text}")))];
        host.OpenPort(ClusterPorts.Local, async (message, cancel) => await NodeTrainer.DescribeAsync(settings, ((ClusterPorts.DescribeHere)message).Configuration, cancel));
        for (int i = 0; i < trainers.Length; i++)
        {
            NodeTrainer trainer = trainers[i];
            int number = i;
            host.OpenPort(Actors.Ports.Engine(i), async (request, cancel) => await trainer.RunAsync((DispatchProtocol.RunAttempt)request, cancel));
            host.OpenPort(Actors.Ports.Pulse(i), (_, _) => Task.FromResult<object?>(trainer.SilentSeconds));
            host.Spawn(TrainerActor.NameOf(i), () => new TrainerActor(number));
        }

        NodeInfo info = new(settings.Name, settings.Advertise, settings.Trainers, TorchBinding.Description);
        host.Spawn(NodeActor.Name, () => new NodeActor(info));
    }

    /// <summary>Somebody leads: <paramref name="peer"/> is the name of that host.</summary>
    public void Announce(string peer)
    {
        host.Tell(host.AddressOf(NodeActor.Name), new NodeActor.LeaderChanged(peer));
        for (int i = 0; i < settings.Trainers; i++)
            host.Tell(host.AddressOf(TrainerActor.NameOf(i)), new TrainerActor.DispatcherChanged());
    }

    /// <summary>What the leader says of blobs.</summary>
    public async Task<object?> TransferAsync(object message, CancellationToken stop)
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
                await Task.Run(() => NodeDiscards.Keep(settings, keep, DateTime.UtcNow), stop);
                break;
        }

        return null;
    }

    /// <summary>Until it is cancelled.</summary>
    public async Task TidyAsync(CancellationToken stop)
    {
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
    }

    public async ValueTask DisposeAsync()
    {
        foreach (NodeTrainer trainer in trainers)
            await trainer.DisposeAsync();
    }
}
