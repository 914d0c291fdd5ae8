using System.Text.Json;
using Akka.Actor;
using DaNas.Actors.Logging;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Actors.Dispatch;

/// <summary>What comes after a unit's result was taken: lost work, and where it differs, news for the owner.</summary>
internal static class LateResults
{
    public static void Tell(IActorContext context, DispatchProtocol.AttemptEnded m, Finished first, UnitResult second)
    {
        if (!first.Leases.Add(m.Lease))
            return; // The same message again.
        string a = Canonical(first.Result);
        string b = Canonical(second);
        bool differs = a != b;
        context.Write(new StateChange(LogEvent.DispatcherLateResult, "Done", differs
            ? "Differs" : "Done")
        { Unit = m.Unit, Attempt = m.Attempt, Cause = $"{context.Sender.Text()} was late", IsWarning = differs });
        if (first.Owner is { } owner)
            owner.Tell(new DispatchProtocol.LateResult(m.Unit, m.Attempt, second.Timing.Seconds, differs
                ? Digest.Of(a).Short : null, differs ? Digest.Of(b).Short : null));
    }

    public static void TellFailure(IActorContext context, DispatchProtocol.AttemptEnded m, Finished first, UnitOutcome.Failed failure)
    {
        context.Write(new StateChange(LogEvent.DispatcherLateResult, "Done", "Done")
        {
            Unit = m.Unit,
            Attempt = m.Attempt,
            Cause = $"{context.Sender.Text()} was late and failed: {failure.Cause}"
        });
        if (first.Owner is { } owner)
            owner.Tell(new DispatchProtocol.LateResult(m.Unit, m.Attempt, failure.LostSeconds, null, null));
    }

    /// <summary>Without the confusion matrix, which follows from the weights and which an older trainer does not send.</summary>
    private static string Canonical(UnitResult result) => result is UnitResult.SegmentRetrained { Confusion: not null } retrained
        ? Canonical(retrained with { Confusion = null }) : JsonSerializer.Serialize(result, result.GetType(), DomainJson.Canonical);
}

/// <summary>A unit's result, its attempts, and who hears of late ones.</summary>
internal sealed class Finished(UnitResult result, long lease)
{
    public UnitResult Result { get; } = result;

    public IActorRef? Owner { get; set; }

    /// <summary>The leases whose ends were told, so that a doubled message is counted once.</summary>
    public HashSet<long> Leases { get; } = [lease];
}
