using Akka.Actor;
using DaNas.Domain.Searches;

namespace DaNas.Actors.Stages;

/// <summary>Between a search and one of its stages.</summary>
public static class StageProtocol
{
    /// <summary>What is due now; a state in which another stage runs, or none, ends this one.</summary>
    public sealed record StateChanged(SearchState State) : INoSerializationVerificationNeeded;

    /// <summary>A decision about the stage's blocks is stored.</summary>
    public sealed record Decided(SearchEvent Event) : INoSerializationVerificationNeeded;
}
