using Akka.Actor;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;

namespace DaNas.Actors.Evaluation;

/// <summary>From a stage to the evaluator of one block, in this order.</summary>
public static class EvaluatorProtocol
{
    /// <summary>A round of validation evidence asks for the block; <paramref name="Round"/> from 1.</summary>
    public sealed record Measuring(int Round) : INoSerializationVerificationNeeded;

    /// <summary>The score that the search has stored.</summary>
    public sealed record Scored(BlockScore Score) : INoSerializationVerificationNeeded;

    /// <summary>The end of the stage: why the block left the search; null where it stays.</summary>
    public sealed record Judged(Removal? Removal) : INoSerializationVerificationNeeded;

    /// <summary>The stage is over.</summary>
    public sealed record Close : INoSerializationVerificationNeeded;
}
