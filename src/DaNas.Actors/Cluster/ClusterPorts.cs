using Akka.Actor;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>What the cluster's actors ask of the world around them, and what comes back; never sent.</summary>
public static class ClusterPorts
{
    /// <summary>
    /// Long work off the actor's threads: takes one of the requests below, gives the reply that the request names, and throws what went
    /// wrong.
    /// </summary>
    public delegate Task<object?> Port(object request);

    /// <summary>What came of a request; a failure is text.</summary>
    public sealed record Replied(object Request, object? Reply, string? Failure) : INoSerializationVerificationNeeded;

    /// <summary>Runs a request; its outcome comes to <paramref name="self"/> as <see cref="Replied"/>.</summary>
    internal static void Run(this Port port, object request, IActorRef self)
    {
        Task<object?> work;
        try
        {
            work = port(request);
        }
#pragma warning disable CA1031 // Whatever went wrong becomes a value for the actor that asked.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work = Task.FromException<object?>(e);
        }

        work.PipeTo(self, self, r => new Replied(request, r, null),
            e => new Replied(request, null, ((e as AggregateException)?.InnerException ?? e).Message));
    }

    public sealed record FindUnfinished;

    /// <summary>Become the writer of a search. Reply: <see cref="Taken"/>.</summary>
    public sealed record Take(string Search);

    /// <summary>The writer's epoch, and what the search was started with; null where it has not begun.</summary>
    public sealed record Taken(long Epoch, Domain.Searches.SearchEvent.SearchStarted? Started);

    /// <summary>The other reply to <see cref="Take"/>: another cluster, or a single machine, writes this search.</summary>
    public sealed record BelongsElsewhere(string Why);

    /// <summary>Reply: a list of <see cref="NodeOrder"/>.</summary>
    public sealed record LoadDuties;

    /// <summary>Reply: nothing, when it is stored.</summary>
    public sealed record SaveDuty(NodeOrder Order);

    /// <summary>Reply: a list of <see cref="FollowedEvent"/>.</summary>
    public sealed record ReadAfter(string Search, long After);

    /// <summary>Fetch a blob from one of some nodes unless it is here. Reply: nothing.</summary>
    public sealed record Fetch(string Search, BlobRef Blob, ValueList<string> Addresses);

    /// <summary>Is a new node reached on both of its ports? Reply: nothing; a failure names the address that did not answer.</summary>
    public sealed record Reach(NodeInfo Node, string Remoting);

    /// <summary>On a node: the leader refuses it.</summary>
    public sealed record RefusedHere(string Reason);

    /// <summary>The leader's answer has come: its messages reach this node.</summary>
    public sealed record HeardHere;

    /// <summary>Reply: what <see cref="ClusterProtocol.Described"/> says.</summary>
    public sealed record DescribeHere(string Configuration);
}
