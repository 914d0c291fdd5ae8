using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Serialization;

namespace DaNas.Actors.Tests;

/// <summary>
/// Every message goes through its serializer on the way, as between nodes; what is not of the wire format is refused. Messages of Akka to
/// itself, which it did not mark as local, are passed through by reference.
/// </summary>
internal sealed class SerializedMessages(ExtendedActorSystem system) : Serializer(system)
{
    private static readonly ConcurrentDictionary<int, object> Underway = new();
    private static int last;

    public static string Hocon => $$"""
        akka.actor {
          serialize-messages = on
          serializers.test-local = "{{typeof(SerializedMessages).FullName}}, {{typeof(SerializedMessages).Assembly.GetName().Name}}"
          serialization-bindings {
            "Akka.Pattern.BackoffSupervisor+Reset, Akka" = test-local
            "Akka.Persistence.RequestRecoveryPermit, Akka.Persistence" = test-local
            "Akka.Persistence.RecoveryPermitGranted, Akka.Persistence" = test-local
            "Akka.Persistence.ReturnRecoveryPermit, Akka.Persistence" = test-local
            "Akka.Persistence.Journal.AsyncWriteJournal+Desequenced, Akka.Persistence" = test-local
            "Akka.Persistence.Sql.Journal.Types.WriteFinished, Akka.Persistence.Sql" = test-local
          }
        }
        """;

    public override int Identifier => 20_031_299;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj)
    {
        int key = Interlocked.Increment(ref last);
        Underway[key] = obj;
        return BitConverter.GetBytes(key);
    }

    public override object FromBinary(byte[] bytes, Type type) =>
        Underway.TryRemove(BitConverter.ToInt32(bytes), out object? obj) ? obj : throw new InvalidOperationException("not under way");
}
