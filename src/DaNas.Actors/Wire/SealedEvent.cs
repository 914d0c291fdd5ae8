using Akka.Actor;
using Akka.Serialization;

namespace DaNas.Actors.Wire;

/// <summary>
/// An event as it goes into a row and comes out of it: sealed onto the hash chain by the writer, who alone knows the link before.
/// </summary>
public sealed record SealedEvent(string Manifest, byte[] Message);
