using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Work;

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

    public sealed record DifficultyPoint(string Unit, UnitCost Cost, Timing Timing, BlobRef Output,
        ValueList<double> Accuracy, ValueList<double> Loss)
        : UnitResult(Unit, Cost, Timing);

    /// <summary>Mean weight loss and accuracy, mean architecture loss, and the mean probability of every alive block.</summary>
    public sealed record ShardTrained(
        string Unit, UnitCost Cost, Timing Timing, BlobRef Output, double Loss, double Accuracy, double ArchitectureLoss,
            ValueList<ValueList<double>> Probabilities)
        : UnitResult(Unit, Cost, Timing);

    public sealed record RoundMerged(string Unit, UnitCost Cost, Timing Timing, BlobRef Output) : UnitResult(Unit, Cost, Timing);

    /// <summary>Accuracies of the paths drawn for each request, in the order of the requests.</summary>
    public sealed record BlocksEvaluated(string Unit, UnitCost Cost, Timing Timing,
        ValueList<ValueList<double>> Accuracies) : UnitResult(Unit, Cost, Timing);

    /// <summary>One test an alive block, by layer.</summary>
    public sealed record BlocksTested(string Unit, UnitCost Cost, Timing Timing,
        ValueList<ValueList<BlockTest>> Tests) : UnitResult(Unit, Cost, Timing);

    public sealed record PathPassed(string Unit, UnitCost Cost, Timing Timing, double Loss) : UnitResult(Unit, Cost, Timing);

    public sealed record ArchitectureEvaluated(string Unit, UnitCost Cost, Timing Timing, double Accuracy,
        double Loss) : UnitResult(Unit, Cost, Timing);

    /// <summary>The last segment carries test accuracy and the weights hash.</summary>
    public sealed record SegmentRetrained(
        string Unit, UnitCost Cost, Timing Timing, BlobRef Output, double Loss, double Accuracy, double? TestAccuracy,
            ValueList<double>? TestPerClass, Digest? WeightsHash)
        : UnitResult(Unit, Cost, Timing)
    {
        /// <summary>What the untrained network tells, of the first segment of a retraining.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public InitialScores? Initial { get; init; }

        /// <summary>[true][predicted], images; of the winner's last segment, up to <see cref="MostConfusionClasses"/> classes.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public ValueList<ValueList<int>>? Confusion { get; init; }
    }
}
