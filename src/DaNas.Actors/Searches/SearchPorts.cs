using Akka.Actor;

namespace DaNas.Actors.Searches;

/// <summary>What a search has around it.</summary>
/// <param name="Listener">Who hears of stored events and of the end.</param>
/// <param name="Dispatcher">Who runs units.</param>
/// <param name="Discard">Removes blobs that no future unit can need; returns at once.</param>
public sealed record SearchPorts(IActorRef Listener, IActorRef Dispatcher, Action<SearchProtocol.DiscardBlobs> Discard)
{
    /// <summary>The path of the search's supervisor, which passes on what comes late, to whatever incarnation.</summary>
    public string Owner { get; init; } = string.Empty;
}
