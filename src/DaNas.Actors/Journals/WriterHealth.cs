using Akka.Actor;
using Akka.Pattern;
using Akka.Persistence;
using SerializationException = System.Runtime.Serialization.SerializationException;

namespace DaNas.Actors.Journals;

/// <summary>What the incarnations of one writer have in common.</summary>
public sealed class WriterHealth
{
    /// <summary>The journal is away; said once.</summary>
    internal bool IsAway { get; set; }

    /// <summary>Failures of the writer's own since an event was stored.</summary>
    internal int Failures { get; set; }
}
