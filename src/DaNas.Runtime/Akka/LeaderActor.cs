using Akka.Actor;

namespace DaNas.Runtime.Akka;

/// <summary>
/// The cluster's singleton, on the coordinator that holds its lease: begins the leader's term, and ends it. The journal's fence is what
/// makes that right.
/// </summary>
internal sealed class LeaderActor(AkkaHost host, ITerm term) : UntypedActor
{
    private bool ending;

    /// <summary>The term's outcome comes as a message.</summary>
    protected override void PreStart()
    {
        IActorRef self = Self;
        term.BeginAsync(host).PipeTo(self, self, failure: e => new Failed(e));
    }

    /// <summary>Stopped without having been asked: what it began must not go on without it.</summary>
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
            case HandOver when !ending:
                ending = true;
                term.EndAsync().PipeTo(self, self, () => Ended.Instance, _ => Ended.Instance);
                break;
            case Ended:
                host.Die("it no longer holds the leader lease, or is handing over");
                Context.Stop(Self);
                break;
            case Failed failed when !ending:
                host.Die($"cannot lead: {((failed.Why as AggregateException)?.InnerException ?? failed.Why).Message}");
                break;
        }
    }

    /// <summary>Another coordinator takes over, the lease is lost, or this node leaves.</summary>
    internal sealed class HandOver
    {
        public static HandOver Instance { get; } = new();
    }

    private sealed record Failed(Exception Why);

    private sealed class Ended
    {
        public static Ended Instance { get; } = new();
    }
}
