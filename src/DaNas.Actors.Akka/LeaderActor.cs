using Akka.Actor;

namespace DaNas.Actors.Akka;

/// <summary>
/// The cluster's singleton, on its oldest coordinator: wins the store's word, begins the term, and ends it before another node takes over. The word
/// counts, not the singleton: two of them, while a cluster is split, are one writer all the same.
/// </summary>
internal sealed class LeaderActor(AkkaHost host) : UntypedActor
{
    private readonly ILeadership leadership = host.Node!.Leadership!;
    private bool ending;
    private bool again;

    protected override void PreStart()
    {
        host.HasSingleton = true;
        Win();
    }

    private void Win()
    {
        IActorRef self = Self;
        leadership.WinAsync().PipeTo(self, self, epoch => new Won(epoch), e => new Failed(e));
    }

    /// <summary>Stopped without having been asked to hand over: what it began must not go on without it.</summary>
    protected override void PostStop()
    {
        if (!ending)
            host.Die("the cluster's singleton ended");
    }

    protected override void OnReceive(object message)
    {
        IActorRef self = Self;
        switch (message)
        {
            case Won won when !ending:
                leadership.BeginAsync().PipeTo(self, self, () => new Begun(won.Epoch), e => new Failed(e));
                break;
            case Begun begun when !ending:
                Context.ActorSelection("/user/membership").Tell(new MembershipActor.Leading(begun.Epoch));
                break;
            case HandOver when !ending:
                ending = true;
                Context.ActorSelection("/user/membership").Tell(new MembershipActor.Leading(null));
                leadership.EndAsync().PipeTo(self, self, () => Ended.Instance, _ => Ended.Instance);
                break;
            case Ended:
                Context.Stop(Self);
                break;
            case Failed failed when !ending && !again && failed.Why.GetBaseException() is OperationCanceledException:
                again = true; // It stood in the queue already, and was just leaving it.
                Win();
                break;
            case Failed failed when !ending:
                host.Die($"cannot lead: {failed.Why.GetBaseException().Message}");
                break;
        }
    }

    /// <summary>Another node takes over, or this one ends.</summary>
    internal sealed class HandOver
    {
        public static HandOver Instance { get; } = new();
    }

    private sealed record Won(long Epoch);

    private sealed record Begun(long Epoch);

    private sealed record Failed(Exception Why);

    private sealed class Ended
    {
        public static Ended Instance { get; } = new();
    }
}
