using Akka.Actor;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Searches;

/// <summary>The conversation with a search, in its order.</summary>
public static class SearchProtocol
{
    /// <summary>How a search begins or goes on; which of the two applies is a function of its state.</summary>
    public sealed record Beginning(SearchCommand.Start? Start, SearchCommand.Resume Resume) : INoSerializationVerificationNeeded;

    /// <summary>To the listener, after each stored event.</summary>
    public sealed record Stored(SearchEvent Event, SearchState State, long Sequence) : INoSerializationVerificationNeeded;

    /// <summary>
    /// To the listener, when a search was rebuilt from the journal and goes on: the news of its last event may have been lost.
    /// </summary>
    public sealed record Found(SearchState State, long Sequence) : INoSerializationVerificationNeeded;

    /// <summary>
    /// To the listener, when a search that was found in the journal is over already: the news of its end may have been lost.
    /// </summary>
    public sealed record Ended(SearchState State) : INoSerializationVerificationNeeded;

    /// <summary>A stage's or a requester's command.</summary>
    public sealed record Ask(SearchCommand Command) : INoSerializationVerificationNeeded;

    /// <summary>To the listener: the beginning was refused; nothing was stored.</summary>
    public sealed record Refused(string Reason) : INoSerializationVerificationNeeded;

    /// <summary>Blobs of a search that no future unit can need.</summary>
    public sealed record DiscardBlobs(string Search, ValueList<BlobRef> Blobs) : INoSerializationVerificationNeeded;
}
