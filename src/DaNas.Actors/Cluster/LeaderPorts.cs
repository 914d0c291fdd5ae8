using Akka.Actor;
using DaNas.Actors.Journals;
using DaNas.Actors.Searches;

namespace DaNas.Actors.Cluster;

/// <summary>What the leader's reception has around it.</summary>
/// <param name="Journal">Unfinished searches, becoming a writer, reading on.</param>
/// <param name="Transfer">The blobs of this process, and fetching them from others.</param>
/// <param name="Dispatcher">Who runs units.</param>
/// <param name="Written">The journal that the searches' actors write.</param>
/// <param name="Discard">Removes blobs that no future unit can need; returns at once.</param>
public sealed record LeaderPorts(ClusterPorts.Port Journal, ClusterPorts.Port Transfer, IActorRef Dispatcher, WritersJournal Written,
    Action<SearchProtocol.DiscardBlobs> Discard);
