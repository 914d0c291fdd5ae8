using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace DaNas.Runtime.Akka;

/// <summary>
/// Bound to <see cref="object"/>: nothing leaves this process, or enters a journal, by accident or by a CLR name. It has manifests, so that
/// Akka looks for no type before it asks.
/// </summary>
internal class RefusingSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 20_031_257;

    public override string Manifest(object o) => throw Refused(o);

    public override byte[] ToBinary(object obj) => throw Refused(obj);

    public override object FromBinary(byte[] bytes, string manifest) =>
        throw new InvalidOperationException($"'{manifest}' is not read: it names no message of the wire format");

    private static InvalidOperationException Refused(object? o) =>
        new($"{o?.GetType()} has no place in the wire format and is not serialised");
}

/// <summary>
/// In the place of Akka's JSON, which makes an object of whatever type the bytes name: what another node, or a row, says it is in JSON is
/// refused.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class NoJson : RefusingSerializer
{
    /// <summary>Akka gives the settings of its JSON along.</summary>
    public NoJson(ExtendedActorSystem system, Config settings)
        : base(system)
    {
        _ = settings;
    }

    public override int Identifier => 1;
}

/// <summary>In the place of remote deployment: nobody has actors made here.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class NoDeployment(ExtendedActorSystem system) : RefusingSerializer(system)
{
    public override int Identifier => 3;
}
