namespace DaNas.Actors.Logging;

/// <summary>
/// Stable identities of log lines. A number is never given a second meaning; docs/logging.md lists them.
/// </summary>
public enum LogEvent
{
    None = 0,
    SearchPhaseChanged = 100,
    SearchEventStored = 101,
    SearchCommandIgnored = 102,
    SearchCommandRejected = 103,
    SearchEnded = 104,
    SearchAlert = 105,
    StageChanged = 200,
    EvaluatorChanged = 300,
    DispatcherUnitQueued = 400,
    DispatcherUnitLeased = 401,
    DispatcherUnitDone = 402,
    DispatcherUnitFailed = 403,
    DispatcherTrainerJoined = 404,
    DispatcherUnitUnlucky = 405,
    DispatcherLateResult = 406,
    DispatcherTrainerSilent = 407,
    DispatcherStoragePaused = 408,
    DispatcherTrainerLost = 409,
    DispatcherTrainerUnfit = 410,
    TrainerChanged = 500,
    ClusterSearchTaken = 600,
    ClusterNodeJoined = 601,
    ClusterNodeLost = 602,
    ClusterNodeDuty = 603,
    ClusterStoreLost = 604,
    ClusterStoreBack = 605,
    ClusterLeading = 606,
    ClusterSteppedDown = 607,
    ClusterSearchRefused = 608,
    NodeChanged = 700,
    LinkRefused = 703,
    MemberChanged = 705,
    ProjectionLost = 800,
    ProjectionBack = 801,
    ProjectionRefused = 802,
    ActorStarted = 900,
    ActorRestarted = 901,
    ActorStopped = 902,
    ActorFailed = 903,
    MailboxOverflow = 904,
    JournalUnavailable = 905,
    JournalAvailable = 906,
    HostWarned = 907,
    DatasetPartlyRead = 908,
    LogUnwritable = 909,
    LogWritable = 910,
}

/// <summary>One state change of one actor: who, from, to, and what it is about.</summary>
public sealed record StateChange(LogEvent Event, string From, string To)
{
    public long? Sequence { get; init; }

    public string? Search { get; init; }

    public int? Stage { get; init; }

    public int? Layer { get; init; }

    public string? Block { get; init; }

    public string? Unit { get; init; }

    public int? Attempt { get; init; }

    public string? Cause { get; init; }

    /// <summary>Whether a person should look at it.</summary>
    public bool IsWarning { get; init; }
}

/// <summary>Takes the lines of all actors; an actor by its path without <c>/user</c>: <c>/search-7/search/stage-2</c>.</summary>
public interface IStateLog
{
    void Write(string actor, DateTimeOffset at, StateChange change);
}
