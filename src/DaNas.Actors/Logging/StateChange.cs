namespace DaNas.Actors.Logging;

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
