using Akka.Actor;
using Akka.Serialization;

namespace DaNas.Actors.Wire;

/// <summary>
/// Writes sealed events as they are, under the manifests of the wire format; an unknown one throws when the row is opened.
/// </summary>
public sealed class EventSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => WireFormat.SerializerId;

    public override string Manifest(object o) => ((SealedEvent)o).Manifest;

    public override byte[] ToBinary(object obj) => ((SealedEvent)obj).Message;

    public override object FromBinary(byte[] bytes, string manifest) => new SealedEvent(manifest, bytes);
}
