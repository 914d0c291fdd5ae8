using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Trainers;
using DaNas.Domain.Ports;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Blobs.Http;
using DaNas.Torch;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// The trainers of one node: processes, blobs, and what their actors must not forget. They outlive the actor system, which may have to be
/// made anew; who leads is found by asking the coordinators.
/// </summary>
internal sealed class TrainerDuties : IAsyncDisposable
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(30);

    /// <summary>How often the coordinators are asked who leads.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Answers to the question who leads (four a second) without a message from the leader, which sends one a second; twice as many after
    /// each time that another actor system did not help.
    /// </summary>
    private const int DeafAfter = 20;

    private readonly NodeSettings settings;
    private readonly LeaderFinder finder;
    private readonly NodeBlobs blobs;
    private readonly NodeTrainer[] trainers;
    private readonly TrainerMemory[] memories;
    private readonly Questions questions = new();
    private readonly CancellationTokenSource ending = new();
    private readonly Lock gate = new();
    private readonly CancellationToken ended;
    private readonly IActorRef[] actors;
    private IActorRef node = ActorRefs.Nobody;
    private volatile IActorRef dispatcher = ActorRefs.Nobody;
    private volatile IActorRef reception = ActorRefs.Nobody;
    private AkkaHost? host;
    private LeaderAddress? leader;
    private LeaderAddress? followed;
    private int misses;
    private volatile int unheard;
    private volatile int deafened;
    private TaskCompletionSource<string> deaf = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TrainerDuties(NodeSettings settings, BlobClient transfer, LeaderFinder finder, Action<string> chatter)
    {
        this.settings = settings;
        this.finder = finder;
        blobs = new NodeBlobs(settings, transfer, () => leader is { } l ? [l.Url] : []);
        trainers = [.. Enumerable.Range(0, settings.Trainers)
            .Select(i => new NodeTrainer(i, settings, questions, blobs, text => chatter($"trainer {i}: {text}")))];
        memories = [.. trainers.Select(_ => new TrainerMemory())];
        actors = new IActorRef[trainers.Length];
        ended = ending.Token;
    }

    /// <summary>Told why no leader is known yet, after a while and then seldom.</summary>
    public required Action<string> Waiting { get; init; }

    /// <summary>Whether a leader is known.</summary>
    public bool IsJoined => leader is not null;

    /// <summary>
    /// Completes when the leader answers over HTTPS and its messages do not arrive: Akka.Remote loses one direction where both sides dial
    /// each other in the same moment, as after a quick restart, and only another actor system
    /// ends that.
    /// </summary>
    public Task<string> Deaf => deaf.Task;

    /// <summary>The actors of the trainers on this actor system; what ran on a former one goes on.</summary>
    public void Attach(AkkaHost next, ClusterPorts.Port transfer, TaskCompletionSource<string> refused)
    {
        lock (gate)
        {
            host = next;
            unheard = 0;
            deaf = new(TaskCreationOptions.RunContinuationsAsynchronously);
            questions.MoveTo(next, "trainer-questions"); // A coordinator's process may have both.
            followed = leader;
            Find(next);
            questions.AskFrom(reception);
            NodeInfo info = new(settings.Name, settings.Url, settings.Trainers, TorchBinding.Description);
            node = next.Spawn(NodeActor.Name, NodeActor.PropsOf(info, m => Task.Run(() => Local(m)), transfer, () => reception));
            for (int i = 0; i < trainers.Length; i++)
                actors[i] = next.Spawn(TrainerActor.NameOf(i),
                    TrainerActor.PropsOf(i, new NodeRunner(trainers[i], ended), () => dispatcher, memories[i]));
        }

        async Task<object?> Local(object message)
        {
            if (message is ClusterPorts.RefusedHere m)
                refused.TrySetResult(m.Reason);
            if (message is ClusterPorts.HeardHere)
                (unheard, deafened) = (0, 0);
            return message is ClusterPorts.DescribeHere d ? await NodeTrainer.DescribeAsync(
                settings, d.Configuration, next.Stopping) : null;
        }
    }

    /// <summary>Follows whoever leads, and closes what is not needed; until it is cancelled.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        long tidied = Environment.TickCount64;
        try
        {
            while (true)
            {
                LeaderAddress? found = await finder.FindAsync(leader is null ? settings.Name : null, stop);
                misses = found is null ? misses + 1 : 0;
                if (found != leader && (found is not null || misses > 2)) // One slow answer changes nothing.
                    Follow(found);
                unheard = found is not null ? unheard + 1 : misses > 2 ? 0 : unheard;
                if (found is not null && unheard > DeafAfter << Math.Min(deafened, 4) && deaf.TrySetResult(
                    $"the leader at {found.Remoting} responds over HTTPS, but none of its messages arrive at {settings.Listen}"))
                    deafened++;
                if (misses > 0 && misses % (misses < 100 ? 14 : 240) == 0)
                    Waiting($"no leader yet: {finder.LastFailure}");
                if (Environment.TickCount64 - tidied > TidyEvery.TotalMilliseconds)
                {
                    tidied = Environment.TickCount64;
                    foreach (NodeTrainer trainer in trainers)
                        await trainer.CloseIdleAsync();
                }

                await Task.Delay(AskEvery, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to end.
        }
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

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        foreach (NodeTrainer trainer in trainers)
            await trainer.DisposeAsync();
        ending.Dispose();
    }

    private void Follow(LeaderAddress? found)
    {
        lock (gate)
        {
            leader = found;
            if (found is null || host is null || found == followed)
                return;
            followed = found;
            unheard = 0;
            Find(host);
            node.Tell(new NodeActor.LeaderChanged());
            foreach (IActorRef actor in actors)
                actor.Tell(new TrainerActor.DispatcherChanged());
            questions.AskFrom(reception);
        }
    }

    /// <summary>The leader's actors, as this host's actors reach them.</summary>
    private void Find(AkkaHost on)
    {
        dispatcher = leader is { } known ? on.Resolve(known.Remoting, DispatcherActor.Name) : ActorRefs.Nobody;
        reception = leader is { } leads ? on.Resolve(leads.Remoting, ClusterActor.Name) : ActorRefs.Nobody;
    }

    private sealed class NodeRunner(NodeTrainer trainer, CancellationToken stop) : IAttemptRunner
    {
        public double SilentSeconds => trainer.SilentSeconds;

        public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt) => Task.Run(() => trainer.RunAsync(attempt, stop));
    }
}
