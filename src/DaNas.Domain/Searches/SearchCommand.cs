using DaNas.Domain.Faults;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>What a search can be asked. Time and identity come in here, never from the world.</summary>
public abstract record SearchCommand
{
    public sealed record Start(SearchEvent.SearchStarted First) : SearchCommand;

    public sealed record Resume(long Epoch, string NumericsProfile, double LostSeconds) : SearchCommand
    {
        /// <summary>What the user accepted to be different from now on; null: nothing may be.</summary>
        public Drift? Accepted { get; init; }
    }

    /// <summary>Go on where nothing but a decision is due.</summary>
    public sealed record Proceed : SearchCommand;

    /// <summary>The result of a unit that stands alone (difficulty, derivation, retraining).</summary>
    public sealed record AcceptResult(UnitResult Result) : SearchCommand;

    public sealed record CompleteRound(int Stage, int Round, ValueList<UnitResult.ShardTrained> Shards,
        UnitResult.RoundMerged? Merged) : SearchCommand;

    public sealed record RecordEvidence(int Stage, int EvidenceRound, ValueList<BlockRequest> Requests,
        ValueList<UnitResult.BlocksEvaluated> Results) : SearchCommand;

    public sealed record RecordFailedAttempt(string Unit, int Attempt, FailureKind Kind, string Cause, double LostSeconds,
        bool Exhausted) : SearchCommand
    {
        /// <summary>The blob that is missing or damaged, where that is the failure.</summary>
        public BlobRef? Blob { get; init; }
    }

    /// <summary>A result that came after another one of its unit was accepted; the texts are given where the two differ.</summary>
    public sealed record RecordLateResult(string Unit, int Attempt, double LostSeconds, string? First, string? Second) : SearchCommand;
}
