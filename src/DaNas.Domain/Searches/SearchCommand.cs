using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>What a search can be asked. Time and identity come in here, never from the world.</summary>
public abstract record SearchCommand
{
    public sealed record Start(SearchEvent.SearchStarted First) : SearchCommand;

    public sealed record Resume(long Epoch, string NumericsProfile, double LostSeconds) : SearchCommand;

    /// <summary>Go on where nothing but a decision is due.</summary>
    public sealed record Proceed : SearchCommand;

    /// <summary>The result of a unit that stands alone (difficulty, derivation, retraining).</summary>
    public sealed record AcceptResult(UnitResult Result) : SearchCommand;

    public sealed record CompleteRound(int Stage, int Round, ValueList<UnitResult.ShardTrained> Shards, UnitResult.RoundMerged? Merged) : SearchCommand;

    public sealed record RecordEvidence(int Stage, int EvidenceRound, ValueList<BlockRequest> Requests, ValueList<UnitResult.BlocksEvaluated> Results) : SearchCommand;

    public sealed record ScoreBlocks(int Stage, ValueList<BlockScore> Scores) : SearchCommand;

    public sealed record ProposePruning(int Stage, ValueList<Removal> Removed) : SearchCommand;

    public sealed record RecordFailedAttempt(string Unit, int Attempt, string Cause, bool Counts, double LostSeconds, bool Exhausted, string Remedy) : SearchCommand;
}

/// <summary>What a command led to.</summary>
public abstract record Decision
{
    public sealed record Accepted(ValueList<SearchEvent> Events) : Decision;

    /// <summary>Already known or no longer wanted: nothing happens, by rule.</summary>
    public sealed record Ignored(string Reason) : Decision;

    /// <summary>Contradicts what is known: nothing happens, and it is said aloud.</summary>
    public sealed record Rejected(string Reason) : Decision;
}
