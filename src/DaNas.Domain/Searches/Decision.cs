using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

/// <summary>What a command led to.</summary>
public abstract record Decision
{
    public sealed record Accepted(ValueList<SearchEvent> Events) : Decision;

    /// <summary>Already known or no longer wanted: nothing happens, by rule.</summary>
    public sealed record Ignored(string Reason) : Decision;

    /// <summary>Contradicts what is known: nothing happens, and it is said aloud.</summary>
    public sealed record Rejected(string Reason) : Decision;
}
