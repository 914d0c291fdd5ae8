namespace DaNas.Domain.Faults;

/// <summary>What a kind of failure says about the unit, and what a person can do about it.</summary>
public static class FailureKinds
{
    /// <summary>
    /// Only the unit's own fault counts against it: a killed process, a lost node, a full disk or a damaged input never does.
    /// </summary>
    public static bool Counts(this FailureKind kind) =>
        kind is FailureKind.EngineError or FailureKind.NativeAbort or FailureKind.OutOfMemory or FailureKind.Deadline
            or FailureKind.NotFinite;

    /// <summary>Counted failures of one unit before it is given up. A loss that is no number comes again, so two are enough.</summary>
    public static int Bound(this FailureKind kind, int attempts) => kind == FailureKind.NotFinite ? Math.Min(2, attempts) : attempts;

    public static string Remedy(this FailureKind kind) => kind switch
    {
        FailureKind.OutOfMemory => "give the trainers more memory and resume, or start a new search with a lower weights.batch",
        FailureKind.Deadline => "raise trainers.unit-deadline, or lower rounds.steps",
        FailureKind.NotFinite => "lower weights.learning-rate, or look at the data with 'danas data check'; then start a new search",
        FailureKind.MissingBlob => "see the cause; mend the disk or restore the blob, and resume",
        FailureKind.StorageUnavailable => "free some space or mend the disk; the search goes on by itself",
        _ => "look at the log for the cause ('danas logs ID'), mend it, and resume",
    };
}
