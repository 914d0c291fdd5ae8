using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Faults;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>Where a search is.</summary>
public abstract record SearchPhase
{
    public sealed record NotStarted : SearchPhase;

    /// <summary>The proxies' progress, one a seed.</summary>
    public sealed record MeasuringDifficulty(ValueList<ProxyProgress> Proxies) : SearchPhase;

    /// <summary>Between a decision and the opening of the next stage.</summary>
    public sealed record BetweenStages : SearchPhase;

    /// <summary>Rounds of a stage; samples are the window's probabilities: [sample][layer][block].</summary>
    public sealed record Training(StagePlan Stage, int Round, ValueList<ValueList<ValueList<double>>> Samples) : SearchPhase;

    /// <summary>Rounds done; evidence is gathered and turned into scores.</summary>
    public sealed record Scoring(StagePlan Stage, ValueList<ValueList<ValueList<double>>> Samples, ValueList<EvidenceRound> Rounds,
        ScoreTable Scores, bool Pruned) : SearchPhase
    {
        /// <summary>
        /// The effects of the alive blocks by layer; none before they are asked for, or where the evidence is of another kind.
        /// </summary>
        public ValueList<ValueList<BlockTest>> Tests { get; init; } = [];
    }

    public sealed record Deriving(long BudgetMacs, ValueList<RankedArchitecture> Ranked, ValueList<ArchitectureScore> Scores) : SearchPhase;

    /// <summary>A rung of the finals; a run's result has its validation accuracy.</summary>
    public sealed record Finals(ValueList<RankedArchitecture> Ranked, ValueList<double> Accuracies, int Rung,
        ValueList<RunProgress> Runs) : SearchPhase;

    public sealed record Retraining(ValueList<RunProgress> Runs) : SearchPhase;

    /// <summary>A unit of the phase before failed for good; paths are tried to find the block to blame.</summary>
    public sealed record Probing(string Unit, string Cause, ValueList<PathProbe> Probes, SearchPhase Before) : SearchPhase;

    public sealed record Completed(ValueList<RetrainedModel> Models, Digest WeightsHash) : SearchPhase;

    /// <summary>Stopped by a fault; resuming goes back to where it was.</summary>
    public sealed record Failed(string Reason, string Remedy, SearchPhase Before) : SearchPhase;

    /// <summary>The stage that is being trained or scored; null in other phases.</summary>
    public static StagePlan? StageOf(SearchPhase phase) => phase switch
    {
        Training p => p.Stage,
        Scoring p => p.Stage,
        Probing p => StageOf(p.Before),
        Failed p => StageOf(p.Before),
        _ => null,
    };
}
