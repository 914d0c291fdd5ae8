using DaNas.Domain.Searches;
using DaNas.Domain.Work;
using DaNas.Ports;

namespace DaNas.Actors.Dispatch;

/// <summary>Between requesters, the dispatcher and trainers, in the order of a unit's life. Every step may be repeated.</summary>
public static class DispatchProtocol
{
    /// <summary>Asks for a unit; asking again for one that is queued or running changes nothing.</summary>
    public sealed record Submit(WorkUnit Unit, long Epoch);

    /// <summary>A trainer is there and idle, or busy with the named attempt; repeated while it lives.</summary>
    public sealed record TrainerReady(int Trainer, string? BusyWith);

    /// <summary>Runs an attempt. A trainer refuses an epoch lower than one it has seen.</summary>
    public sealed record RunAttempt(WorkUnit Unit, int Attempt, long Epoch);

    public sealed record AttemptEnded(int Trainer, string Unit, int Attempt, UnitOutcome Outcome);

    /// <summary>To the requester.</summary>
    public sealed record UnitDone(UnitResult Result);

    /// <summary>To the requester: an attempt failed; the unit runs again unless it is exhausted.</summary>
    public sealed record UnitFailed(string Unit, int Attempt, UnitOutcome.Failed Failure, bool Exhausted)
    {
        public SearchCommand ToCommand() => new SearchCommand.RecordFailedAttempt(
            Unit, Attempt, $"{Failure.Kind}: {Failure.Cause}", Failure.Counts, Failure.LostSeconds, Exhausted, RemedyFor(Failure.Kind));

        private static string RemedyFor(FailureKind kind) => kind switch
        {
            FailureKind.OutOfMemory => "give the trainers more memory and resume, or start a new search with a lower weights.batch",
            FailureKind.Deadline => "raise trainers.unit-deadline, or lower rounds.steps",
            FailureKind.NotFinite => "lower weights.learning-rate, or look at the data with 'danas data check'; then start a new search",
            FailureKind.MissingBlob => "see the cause; mend the disk or restore the blob, and resume",
            _ => "look at the log for the cause ('danas logs ID'), mend it, and resume",
        };
    }
}
