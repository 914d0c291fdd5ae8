using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Work;

/// <summary>Where a round stands in the whole search: what learning rate, temperature and data cursor are functions of.</summary>
public sealed record RoundSchedule(int GlobalRound, int TotalRounds, int StageRound, double Temperature, double RateScale);

/// <summary>One block of one layer.</summary>
public sealed record BlockRequest(int Layer, string Block);

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
    public sealed record TrainShard(string Id, long Seed, StagePlan Stage, RoundSchedule Schedule, int Shard, BlobRef? Input, AliveBlocks Alive) : WorkUnit(Id, Seed);

    /// <summary>Merges a round's shards in shard order.</summary>
    public sealed record MergeRound(string Id, long Seed, BlobRef? Input, ValueList<BlobRef> Shards, AliveBlocks Alive) : WorkUnit(Id, Seed);

    /// <summary>Supernet accuracy of random alive paths through each requested block, after recalibration of batch norm.</summary>
    public sealed record EvaluateBlocks(
        string Id, long Seed, ValueList<int> Classes, int Shard, BlobRef? Input, AliveBlocks Alive, ValueList<BlockRequest> Requests) : WorkUnit(Id, Seed);

    /// <summary>The effects of all alive blocks on the path losses so far, which the weights' blob holds, and the null by so many permutations of the losses, at most.</summary>
    public sealed record TestBlocks(string Id, long Seed, BlobRef? Input, AliveBlocks Alive, int Permutations) : WorkUnit(Id, Seed);

    /// <summary>A few training steps of one path from the supernet's weights, thrown away: does it end, with finite loss and weights?</summary>
    public sealed record ProbePath(string Id, long Seed, int Index, ValueList<string> Path, ValueList<int> Classes, BlobRef? Input, AliveBlocks Alive) : WorkUnit(Id, Seed);

    /// <summary>Supernet accuracy of one architecture on held-out images, after recalibration of batch norm.</summary>
    public sealed record EvaluateArchitecture(string Id, long Seed, int Rank, Architecture Architecture, BlobRef? Input) : WorkUnit(Id, Seed);

    /// <summary>Some steps of training one architecture from scratch; the last segment also measures the test split.</summary>
    public sealed record RetrainSegment(
        string Id, long Seed, string Run, Architecture Architecture, int Segment, int Segments, int TotalSteps, BlobRef? Input) : WorkUnit(Id, Seed)
    {
        /// <summary>A training of the finals: on the weights split, measured on the validation split in the place of the test split.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault)]
        public bool OnValidation { get; init; }
    }
}

/// <summary>Work done: images forwarded, images with a backward pass, multiply-adds of the forward passes.</summary>
public sealed record UnitCost(long ForwardImages, long BackwardImages, long ForwardMacs)
{
    public static UnitCost Zero { get; } = new(0, 0, 0);

    public static UnitCost operator +(UnitCost a, UnitCost b) =>
        new(a.ForwardImages + b.ForwardImages, a.BackwardImages + b.BackwardImages, a.ForwardMacs + b.ForwardMacs);

    public static UnitCost Add(UnitCost left, UnitCost right) => left + right;
}

/// <summary>What a unit gave. Equal units give equal results, timing aside.</summary>
public abstract record UnitResult(string Unit, UnitCost Cost, Timing Timing)
{
    /// <summary>A confusion matrix of more classes than this is not stored: 'danas evaluate' makes it.</summary>
    public const int MostConfusionClasses = 100;

    /// <summary>The blob that the unit made, where it makes one.</summary>
    public static BlobRef? OutputOf(UnitResult result) => result switch
    {
        DifficultyPoint r => r.Output,
        ShardTrained r => r.Output,
        RoundMerged r => r.Output,
        SegmentRetrained r => r.Output,
        _ => null,
    };

    public sealed record DifficultyPoint(string Unit, UnitCost Cost, Timing Timing, BlobRef Output, ValueList<double> Accuracy, ValueList<double> Loss)
        : UnitResult(Unit, Cost, Timing);

    /// <summary>Mean weight loss and accuracy, mean architecture loss, and the mean probability of every alive block.</summary>
    public sealed record ShardTrained(
        string Unit, UnitCost Cost, Timing Timing, BlobRef Output, double Loss, double Accuracy, double ArchitectureLoss, ValueList<ValueList<double>> Probabilities)
        : UnitResult(Unit, Cost, Timing);

    public sealed record RoundMerged(string Unit, UnitCost Cost, Timing Timing, BlobRef Output) : UnitResult(Unit, Cost, Timing);

    /// <summary>Accuracies of the paths drawn for each request, in the order of the requests.</summary>
    public sealed record BlocksEvaluated(string Unit, UnitCost Cost, Timing Timing, ValueList<ValueList<double>> Accuracies) : UnitResult(Unit, Cost, Timing);

    /// <summary>One test an alive block, by layer.</summary>
    public sealed record BlocksTested(string Unit, UnitCost Cost, Timing Timing, ValueList<ValueList<BlockTest>> Tests) : UnitResult(Unit, Cost, Timing);

    public sealed record PathPassed(string Unit, UnitCost Cost, Timing Timing, double Loss) : UnitResult(Unit, Cost, Timing);

    public sealed record ArchitectureEvaluated(string Unit, UnitCost Cost, Timing Timing, double Accuracy, double Loss) : UnitResult(Unit, Cost, Timing);

    /// <summary>The last segment carries test accuracy and the weights hash.</summary>
    public sealed record SegmentRetrained(
        string Unit, UnitCost Cost, Timing Timing, BlobRef Output, double Loss, double Accuracy, double? TestAccuracy, ValueList<double>? TestPerClass, Digest? WeightsHash)
        : UnitResult(Unit, Cost, Timing)
    {
        /// <summary>What the untrained network tells, of the first segment of a retraining.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public InitialScores? Initial { get; init; }

        /// <summary>[true][predicted], pictures; of the winner's last segment, up to <see cref="MostConfusionClasses"/> classes.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public ValueList<ValueList<int>>? Confusion { get; init; }
    }
}
