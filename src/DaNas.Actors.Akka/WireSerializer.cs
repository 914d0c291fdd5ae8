using System.Buffers.Binary;
using Akka.Actor;
using Akka.Serialization;
using DaNas.Actors.Wire;

namespace DaNas.Actors.Akka;

/// <summary>Messages between nodes, under the manifests that all hosts share; an unknown one throws, and Akka drops it with a warning.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const string LeadsManifest = "leads/1";

    public override int Identifier => 20_031_258;

    public override string Manifest(object o) => o is Leads ? LeadsManifest : WireFormat.ManifestOf(o);

    public override byte[] ToBinary(object obj)
    {
        if (obj is not Leads leads)
            return WireFormat.Write(obj);
        byte[] epoch = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(epoch, leads.Epoch);
        return epoch;
    }

    public override object FromBinary(byte[] bytes, string manifest) => manifest == LeadsManifest ? new Leads(BinaryPrimitives.ReadInt64LittleEndian(bytes)) : WireFormat.Read(manifest, bytes);
}

/// <summary>From a coordinator to every other node that it holds for a member: the epoch of the term that it leads, or that it leads in none.</summary>
internal sealed record Leads(long Epoch)
{
    public const long Nobody = 0;
}
