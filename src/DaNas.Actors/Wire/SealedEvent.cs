using Akka.Actor;
using Akka.Serialization;

namespace DaNas.Actors.Wire;

/// <summary>An event as it goes into a row and comes out of it: sealed onto the hash chain by the writer, who alone knows the link before.</summary>
public sealed record SealedEvent(string Manifest, byte[] Message);

/// <summary>Writes sealed events as they are, under the manifests of the wire format; an unknown one throws when the row is opened.</summary>
public sealed class EventSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => WireFormat.SerializerId;

    public override string Manifest(object o) => ((SealedEvent)o).Manifest;

    public override byte[] ToBinary(object obj) => ((SealedEvent)obj).Message;

    public override object FromBinary(byte[] bytes, string manifest) => new SealedEvent(manifest, bytes);
}

/// <summary>Messages between nodes, under the manifests of the wire format; an unknown one throws, and Akka drops it with a warning.</summary>
public sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 20_031_258;

    public override string Manifest(object o) => WireFormat.ManifestOf(o);

    public override byte[] ToBinary(object obj) => WireFormat.Write(obj);

    public override object FromBinary(byte[] bytes, string manifest) => WireFormat.Read(manifest, bytes);
}
