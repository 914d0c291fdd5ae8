using System.Text.Json.Serialization;
using Akka.Actor;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Actors.Dispatch;

/// <summary>
/// Between requesters, the dispatcher and trainers, in the order of a unit's life. Any of these may be lost, doubled, late or out of order;
/// every step is repeated until it is answered. Units are named within their search.
/// </summary>
public static class DispatchProtocol
{
    /// <summary>
    /// Asks for a unit; asking again for one that is queued or running changes nothing. The owner is the path of the actor that hears of
    /// late results, long after the asker may have ended.
    /// </summary>
    public sealed record Submit(string Search, string Owner, WorkUnit Unit, long Epoch);

    /// <summary>
    /// A trainer is there and idle, or busy with the named attempt; repeated while it lives. Silence: seconds since its engine last gave
    /// a sign of life. Lease: that of the attempt.
    /// </summary>
    public sealed record TrainerReady(int Trainer, string? BusyWith, double SilentSeconds)
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
        public long Lease { get; init; }
    }

    /// <summary>
    /// Runs an attempt. A trainer refuses an epoch lower than one it has seen of the same search. Attempts are numbered for people, from 1
    /// by each dispatcher; no two have the same lease, whichever dispatcher gave them, so that what is told of one, late or doubled, is
    /// never taken for news of another.
    /// </summary>
    public sealed record RunAttempt(string Search, WorkUnit Unit, int Attempt, long Epoch)
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
        public long Lease { get; init; }
    }

    public sealed record AttemptEnded(int Trainer, string Search, string Unit, int Attempt, UnitOutcome Outcome)
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
        public long Lease { get; init; }
    }

    /// <summary>To the trainer: the end of an attempt has arrived, and need not be told again.</summary>
    public sealed record AttemptNoted(string Search, string Unit, int Attempt)
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
        public long Lease { get; init; }
    }

    /// <summary>To the requester.</summary>
    public sealed record UnitDone(UnitResult Result);

    /// <summary>To the requester: an attempt failed; the unit runs again unless it is exhausted.</summary>
    public sealed record UnitFailed(string Unit, int Attempt, UnitOutcome.Failed Failure, bool Exhausted)
    {
        public SearchCommand ToCommand() =>
            new SearchCommand.RecordFailedAttempt(Unit, Attempt, Failure.Kind, Failure.Cause, Failure.LostSeconds,
                Exhausted)
            { Blob = Failure.Blob };
    }

    /// <summary>From the leader's reception: trainers of this host get work, or none. Never sent.</summary>
    public sealed record SetHostDuty(string Host, Cluster.NodeDuty Duty) : INoSerializationVerificationNeeded;

    /// <summary>From the leader's reception: a search's own bounds, from its configuration. Never sent.</summary>
    public sealed record SetBounds(string Search, int Attempts, double SilenceSeconds) : INoSerializationVerificationNeeded;

    /// <summary>From the leader's reception: which hosts are busy? Never sent.</summary>
    public sealed record CountBusy : INoSerializationVerificationNeeded;

    /// <summary>The answer, of hosts with running units. Never sent.</summary>
    public sealed record Busy(ValueList<Cluster.HostLoad> ByHost) : INoSerializationVerificationNeeded;

    /// <summary>From the leader's reception: a search is over. Never sent.</summary>
    public sealed record Forget(string Search) : INoSerializationVerificationNeeded;

    /// <summary>To the owner: a result came after another one of its unit; the texts only where the two differ.</summary>
    public sealed record LateResult(string Unit, int Attempt, double LostSeconds, string? First, string? Second)
    {
        public SearchCommand ToCommand() => new SearchCommand.RecordLateResult(Unit, Attempt, LostSeconds, First, Second);
    }
}
