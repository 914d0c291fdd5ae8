using Akka.Persistence;

namespace DaNas.SimulationKit;

/// <summary>One event in the store: what Akka's serializers made of it.</summary>
public sealed record StoredRow(long SequenceNr, int SerializerId, string Manifest, byte[] Payload, long Timestamp);
