using DaNas.Domain.Faults;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Ports;

/// <summary>
/// What became of one attempt: a result, or a failure with its cause in words. Failures are values; they never cross actors as exceptions.
/// </summary>
public abstract record UnitOutcome
{
    public sealed record Completed(UnitResult Result) : UnitOutcome;

    /// <summary>With the blob that is missing or damaged, where that is the failure.</summary>
    public sealed record Failed(FailureKind Kind, string Cause, double LostSeconds, BlobRef? Blob = null) : UnitOutcome;
}
