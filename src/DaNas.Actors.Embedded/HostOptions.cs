namespace DaNas.Actors.Embedded;

/// <summary>Bounds of the embedded host: every mailbox and every retry has one.</summary>
public sealed record HostOptions
{
    /// <summary>User messages that wait for one actor; what comes above is counted and dropped.</summary>
    public int MailboxCapacity { get; init; } = 10_000;

    /// <summary>Restarts of one actor without a quiet minute between them, before it ends for good.</summary>
    public int MaximumRestarts { get; init; } = 10;

    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(10);
}
