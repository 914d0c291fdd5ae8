using DaNas.Domain.Architectures;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Work;

/// <summary>
/// A bounded piece of work: a pure function of its inputs (named by content) and of a seed derived from the search's. It may be run
/// again, anywhere, with the same result. The id says what it is for: <c>s2/r5/train/1</c>.
/// </summary>
public abstract record WorkUnit(string Id, long Seed)
{
    /// <summary>The blobs that a unit reads.</summary>
    public static ValueList<BlobRef> InputsOf(WorkUnit unit) => (unit switch
    {
        MeasureDifficulty u => [u.Input],
        TrainShard u => [u.Input],
        MergeRound u => [u.Input, .. u.Shards],
        EvaluateBlocks u => [u.Input],
        TestBlocks u => [u.Input],
        ProbePath u => [u.Input],
        EvaluateArchitecture u => [u.Input],
        RetrainSegment u => [u.Input],
        _ => (BlobRef?[])[],
    }).OfType<BlobRef>().ToValueList();

    /// <summary>Trains the proxy path for one more point and measures held-out accuracy of every class.</summary>
    public sealed record MeasureDifficulty(string Id, long Seed, int ProxySeed, int Point, BlobRef? Input) : WorkUnit(Id, Seed);

    /// <summary>One logical shard of a round: a fixed number of optimiser steps from the round's weights.</summary>
    public sealed record TrainShard(string Id, long Seed, StagePlan Stage, RoundSchedule Schedule, int Shard, BlobRef? Input,
        AliveBlocks Alive) : WorkUnit(Id, Seed);

    /// <summary>Merges a round's shards in shard order.</summary>
    public sealed record MergeRound(string Id, long Seed, BlobRef? Input, ValueList<BlobRef> Shards,
        AliveBlocks Alive) : WorkUnit(Id, Seed);

    /// <summary>Supernet accuracy of random alive paths through each requested block, after recalibration of batch norm.</summary>
    public sealed record EvaluateBlocks(
        string Id, long Seed, ValueList<int> Classes, int Shard, BlobRef? Input, AliveBlocks Alive,
            ValueList<BlockRequest> Requests) : WorkUnit(Id, Seed);

    /// <summary>
    /// The effects of all alive blocks on the path losses so far, which the weights' blob holds, and the null by so many permutations of
    /// the losses, at most.
    /// </summary>
    public sealed record TestBlocks(string Id, long Seed, BlobRef? Input, AliveBlocks Alive, int Permutations) : WorkUnit(Id, Seed);

    /// <summary>
    /// A few training steps of one path from the supernet's weights, thrown away: does it end, with finite loss and weights?
    /// </summary>
    public sealed record ProbePath(string Id, long Seed, int Index, ValueList<string> Path, ValueList<int> Classes, BlobRef? Input,
        AliveBlocks Alive) : WorkUnit(Id, Seed);

    /// <summary>Supernet accuracy of one architecture on held-out images, after recalibration of batch norm.</summary>
    public sealed record EvaluateArchitecture(string Id, long Seed, int Rank, Architecture Architecture,
        BlobRef? Input) : WorkUnit(Id, Seed);

    /// <summary>Some steps of training one architecture from scratch; the last segment also measures the test split.</summary>
    public sealed record RetrainSegment(
        string Id, long Seed, string Run, Architecture Architecture, int Segment, int Segments, int TotalSteps,
            BlobRef? Input) : WorkUnit(Id, Seed)
    {
        /// <summary>
        /// A training of the finals: on the weights split, measured on the validation split in the place of the test split.
        /// </summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault)]
        public bool OnValidation { get; init; }
    }
}
