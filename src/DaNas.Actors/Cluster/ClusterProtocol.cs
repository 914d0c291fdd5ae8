using Akka.Actor;
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
/// Between the leader's cluster actor, the nodes' actors, and those who ask from outside. Every message may be lost, doubled or late;
/// whoever waits asks again.
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

    public sealed record Opened(string Ask, string? Configuration, DatasetSummary? Data, string? Profile,
        string? EngineVersion, string? Failure) : IAsk;

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
