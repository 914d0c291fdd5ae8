using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>Everything that is known of a search, in the order in which it became known. Nothing else is.</summary>
public abstract record SearchEvent
{
    /// <summary>The first event: all that the search will ever read of its configuration and its data.</summary>
    public sealed record SearchStarted(SearchId Id, string Configuration, Digest ConfigurationHash, DatasetSummary Data,
        string NumericsProfile, string EngineVersion)
        : SearchEvent, IDecision;

    /// <summary>A writer took the search over; the seconds are work that the fault cost.</summary>
    public sealed record SearchResumed(long Epoch, string NumericsProfile, Timing Lost) : SearchEvent;

    public sealed record ProxyMeasured(int ProxySeed, int Point, BlobRef Output, ValueList<double> Accuracy, ValueList<double> Loss,
        UnitCost Cost, Timing Timing) : SearchEvent;

    /// <summary>
    /// The classes' difficulty; where the verdict says that it is no order, the search goes on with random images of all classes.
    /// </summary>
    public sealed record DifficultyMeasured(ValueList<double> Difficulty, ValueList<int> EasyToHard, UnitCost Cost) : SearchEvent, IDecision
    {
        /// <summary>Null in searches that ask for no verdict.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public Curricula.DifficultyVerdict? Verdict { get; init; }
    }

    public sealed record StageOpened(StagePlan Plan, AliveBlocks Alive, int TotalRounds) : SearchEvent, IDecision;

    /// <summary>A round's weights, its metrics, and (inside the evidence window) each shard's mean block probabilities.</summary>
    public sealed record RoundCompleted(
        int Stage, int Round, BlobRef Output, double Loss, double Accuracy, double ArchitectureLoss, UnitCost Cost, Timing Timing,
            ValueList<ValueList<ValueList<double>>> Probabilities)
        : SearchEvent, IDecision;

    /// <summary>The stored results of one round of validation evidence: the accuracies seen for each requested block.</summary>
    public sealed record EvidenceGathered(int Stage, int EvidenceRound, ValueList<BlockRequest> Requests,
        ValueList<ValueList<double>> Accuracies, UnitCost Cost, Timing Timing)
        : SearchEvent, IDecision;

    /// <summary>What the path losses so far say of every alive block, by layer, at a look counted from 0.</summary>
    public sealed record BlocksTested(int Stage, int Look, ValueList<ValueList<BlockTest>> Tests, UnitCost Cost,
        Timing Timing) : SearchEvent, IDecision;

    /// <summary>
    /// A stage that could not decide all that its rule asks for trains on: so many blocks are surely under their layers' cuts, so many were
    /// asked for.
    /// </summary>
    public sealed record StageExtended(StagePlan Plan, int Sure, int Asked) : SearchEvent, IDecision;

    public sealed record BlockScored(int Stage, BlockScore Score) : SearchEvent, IDecision;

    public sealed record BlocksPruned(int Stage, string Rule, ValueList<Removal> Removed, AliveBlocks Alive) : SearchEvent, IDecision;

    public sealed record StageClosed(int Stage, BlobRef? Supernet) : SearchEvent, IDecision;

    public sealed record ArchitecturesRanked(long BudgetMacs, ValueList<RankedArchitecture> Ranked) : SearchEvent, IDecision;

    public sealed record ArchitectureScored(int Rank, double Accuracy, double Loss, UnitCost Cost, Timing Timing) : SearchEvent;

    /// <summary>A rung of the finals, counted from 0, and who is trained in it.</summary>
    public sealed record FinalsOpened(int Rung, ValueList<Architecture> Finalists) : SearchEvent, IDecision;

    /// <summary>The end of a finalist's training: its accuracy on the validation split.</summary>
    public sealed record FinalistMeasured(string Run, Architecture Architecture, double Accuracy, Digest WeightsHash) : SearchEvent;

    /// <summary>
    /// The winner, the supernet accuracies it was chosen by (in rank order), and the controls that will be trained beside it.
    /// </summary>
    public sealed record ArchitectureSelected(Architecture Winner, Cost Cost, ValueList<double> Accuracies,
        ValueList<Architecture> Controls) : SearchEvent, IDecision;

    public sealed record SegmentCompleted(string Run, int Segment, BlobRef Output, double Loss, double Accuracy, UnitCost Cost,
        Timing Timing) : SearchEvent
    {
        /// <summary>
        /// What the untrained network tells, of the first segment of a retraining; null elsewhere, and of engines that train nothing.
        /// </summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public InitialScores? Initial { get; init; }
    }

    public sealed record ModelRetrained(string Run, Architecture Architecture, BlobRef Weights, double TestAccuracy,
        ValueList<double> TestPerClass, Digest WeightsHash) : SearchEvent
    {
        /// <summary>[true][predicted], images; of the winner, where the classes are not too many.</summary>
        [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
        public ValueList<ValueList<int>>? Confusion { get; init; }
    }

    public sealed record SearchCompleted(ValueList<RetrainedModel> Models, Digest WeightsHash) : SearchEvent, IDecision;

    /// <summary>
    /// Training diverged: the search went back to the weights that a round began with, and on with other seeds and a lower rate.
    /// </summary>
    public sealed record RolledBack(int Stage, int Round, BlobRef? To, Remark Cause, double RateScale) : SearchEvent, IDecision;

    /// <summary>
    /// A stored blob is gone or damaged: the search went back to the last state whose inputs are whole and does the same work again, so
    /// that no decision changes.
    /// </summary>
    public sealed record BlobLost(BlobRef Blob, string Cause) : SearchEvent;

    /// <summary>A unit failed by its own fault as often as it may; these paths are tried to find the block to blame.</summary>
    public sealed record ProbingStarted(string Unit, string Cause, ValueList<ValueList<string>> Paths) : SearchEvent;

    public sealed record PathProbed(int Index, bool Passed, string Cause, UnitCost Cost, Timing Timing) : SearchEvent;

    /// <summary>Blocks that make units fail leave the search; a fault of theirs, not a judgement of their quality.</summary>
    public sealed record BlocksQuarantined(ValueList<BlockRequest> Blocks, AliveBlocks Alive, Remark Cause) : SearchEvent, IDecision;

    /// <summary>
    /// Two results of one unit differ: the machines do not compute the same. Bit-identical resumption cannot be promised any more.
    /// </summary>
    public sealed record NondeterminismDetected(string Unit, string First, string Second) : SearchEvent;

    /// <summary>The user accepted another configuration on resuming; each change as "key: old -> new".</summary>
    public sealed record ConfigurationChanged(string Configuration, Digest ConfigurationHash,
        ValueList<string> Changes) : SearchEvent, IDecision;

    /// <summary>The same for keys that change no result (trainers, deadlines, caches).</summary>
    public sealed record OperationChanged(string Configuration, Digest ConfigurationHash, ValueList<string> Changes) : SearchEvent;

    /// <summary>The user accepted another data set of as many classes.</summary>
    public sealed record DataChanged(DatasetSummary Data, ValueList<string> Changes) : SearchEvent, IDecision;

    /// <summary>The user accepted another numerics profile or engine version.</summary>
    public sealed record EngineChanged(string NumericsProfile, string EngineVersion, ValueList<string> Changes) : SearchEvent, IDecision;

    /// <summary>This search began as the first events of another one.</summary>
    public sealed record SearchForked(SearchId Parent, long At) : SearchEvent;

    /// <summary>The user accepted that acknowledged events at the journal's end are gone.</summary>
    public sealed record HistoryLost(long Acknowledged, long Found) : SearchEvent;

    /// <summary>An attempt that gave no result, or came too late, with its cause; never a decision.</summary>
    public sealed record AttemptFailed(string Unit, int Attempt, string Cause, bool Counts, Timing Lost) : SearchEvent;

    public sealed record SearchFailed(string Reason, string Remedy) : SearchEvent;
}
