using Akka.Actor;
using DaNas.Actors.Journals;
using DaNas.Actors.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>A message that waits for an answer under the same key; asking again under it changes nothing.</summary>
public interface IAsk
{
    string Ask { get; }
}

/// <summary>A node as it presents itself: its name, where its blobs are served, its trainers, and what they compute with.</summary>
public sealed record NodeInfo(string Name, string Address, int Trainers, string Engine);

/// <summary>Whether a node is given work.</summary>
public enum NodeDuty
{
    Active,

    /// <summary>Ends what it has and gets nothing more; what it holds is copied elsewhere.</summary>
    Draining,

    /// <summary>Gets nothing, and what it does now is given to others.</summary>
    Quarantined,
}

/// <summary>A node as the leader knows it.</summary>
public sealed record NodeStatus(NodeInfo Node, NodeDuty Duty, int Busy, bool Connected);

/// <summary>What a node was told to do; it holds until it is told otherwise.</summary>
public sealed record NodeOrder(string Node, NodeDuty Duty);

/// <summary>Units that run on a host.</summary>
public sealed record HostLoad(string Host, int Running);

/// <summary>A search as the leader knows it.</summary>
public sealed record SearchStatus(string Id, string Phase, long Events);

/// <summary>An event for those who watch: as it stands in the journal, less its chain.</summary>
public sealed record FollowedEvent(long Sequence, long CreatedTicks, string Manifest, string Payload);

/// <summary>
/// Between the leader's cluster actor, the nodes' actors, and those who ask from outside. Every message may be lost, doubled or late; whoever
/// waits asks again.
/// </summary>
public static class ClusterProtocol
{
    /// <summary>A node is there; repeated while it lives.</summary>
    public sealed record NodeHere(NodeInfo Node);

    /// <summary>The leader has heard of a node: the answer to each <see cref="NodeHere"/>.</summary>
    public sealed record NodeNoted;

    /// <summary>To a node that cannot take part, with the reason and the remedy.</summary>
    public sealed record NodeRefused(string Reason);

    /// <summary>To every node: who is there, so that blobs can be fetched from each other.</summary>
    public sealed record Roster(ValueList<NodeInfo> Nodes);

    /// <summary>To every node: nothing will need these blobs of a search any more.</summary>
    public sealed record Discard(string Search, ValueList<BlobRef> Blobs);

    /// <summary>To every node, now and then: all blobs of a search that may be needed. Others that are old can go.</summary>
    public sealed record Keep(string Search, ValueList<BlobRef> Blobs);

    /// <summary>Begins a search; one of the same id and configuration that has begun already is the same search.</summary>
    public sealed record SubmitSearch(string Ask, string Id, string Configuration) : IAsk;

    /// <summary>Goes on with a search that had stopped.</summary>
    public sealed record ResumeSearch(string Ask, string Id) : IAsk;

    /// <summary>Done, or why not.</summary>
    public sealed record Answer(string Ask, string? Failure) : IAsk;

    /// <summary>To a node: what does this configuration run on there, and what data does it find?</summary>
    public sealed record Describe(string Ask, string Configuration) : IAsk;

    public sealed record Described(string Ask, string? Profile, DatasetSummary? Data, string? Failure) : IAsk;

    /// <summary>To the leader: what must a trainer know of a search?</summary>
    public sealed record OpenSearch(string Ask, string Search) : IAsk;

    public sealed record Opened(string Ask, string? Configuration, DatasetSummary? Data, string? Profile, string? EngineVersion, string? Failure) : IAsk;

    /// <summary>To the leader: keep a copy of a blob that the asking node has.</summary>
    public sealed record Replicate(string Ask, string Node, string Search, BlobRef Blob) : IAsk;

    /// <summary>The events of a search after a sequence number.</summary>
    public sealed record Follow(string Ask, string Search, long After) : IAsk;

    public sealed record Followed(string Ask, ValueList<FollowedEvent> Events, string? Failure) : IAsk;

    public sealed record ListNodes(string Ask) : IAsk;

    public sealed record SetDuty(string Ask, string Node, NodeDuty Duty) : IAsk;

    public sealed record NodeList(string Ask, ValueList<NodeStatus> Nodes, string? Failure) : IAsk;

    public sealed record ListSearches(string Ask) : IAsk;

    public sealed record SearchList(string Ask, ValueList<SearchStatus> Searches) : IAsk;
}

/// <summary>What the leader's reception has around it.</summary>
/// <param name="Journal">Unfinished searches, becoming a writer, reading on.</param>
/// <param name="Transfer">The blobs of this process, and fetching them from others.</param>
/// <param name="Dispatcher">Who runs units.</param>
/// <param name="Written">The journal that the searches' actors write.</param>
/// <param name="Discard">Removes blobs that no future unit can need; returns at once.</param>
public sealed record LeaderPorts(ClusterPorts.Port Journal, ClusterPorts.Port Transfer, IActorRef Dispatcher, WritersJournal Written, Action<SearchProtocol.DiscardBlobs> Discard);

/// <summary>What the cluster's actors ask of the world around them, and what comes back; never sent.</summary>
public static class ClusterPorts
{
    /// <summary>Long work off the actor's threads: takes one of the requests below, gives the reply that the request names, and throws what went wrong.</summary>
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

        work.PipeTo(self, self, r => new Replied(request, r, null), e => new Replied(request, null, ((e as AggregateException)?.InnerException ?? e).Message));
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
