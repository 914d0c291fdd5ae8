namespace DaNas.Domain.Faults;

/// <summary>Why an attempt at a unit gave no result.</summary>
public enum FailureKind
{
    EngineError,
    NativeAbort,
    OutOfMemory,
    Deadline,
    NotFinite,
    MissingBlob,
    StorageUnavailable,
    ProcessLost,
    Cancelled,

    /// <summary>This trainer cannot run the search's units at all (another numerics profile, other data); another one may.</summary>
    Unfit,
}
