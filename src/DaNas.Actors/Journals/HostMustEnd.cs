using Akka.Actor;
using Akka.Pattern;
using Akka.Persistence;
using SerializationException = System.Runtime.Serialization.SerializationException;

namespace DaNas.Actors.Journals;

/// <summary>This process must not go on: another writer took over, or the journal is damaged. Published on the event stream.</summary>
public sealed record HostMustEnd(string Reason) : INoSerializationVerificationNeeded;
