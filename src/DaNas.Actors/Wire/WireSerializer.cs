using Akka.Actor;
using Akka.Serialization;

namespace DaNas.Actors.Wire;

/// <summary>
/// Messages between nodes, under the manifests of the wire format; an unknown one throws, and Akka drops it with a warning.
/// </summary>
public sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 20_031_258;

    public override string Manifest(object o) => WireFormat.ManifestOf(o);

    public override byte[] ToBinary(object obj) => WireFormat.Write(obj);

    public override object FromBinary(byte[] bytes, string manifest) => WireFormat.Read(manifest, bytes);
}
