namespace DaNas.Actors.Journals;

/// <summary>A journal that cannot be used, with the cause and the remedy in its message.</summary>
public sealed class JournalException : Exception
{
    public JournalException(JournalFault fault, string message, Exception? inner = null)
        : base(message, inner) => Fault = fault;

    public JournalFault Fault { get; }

    /// <summary>Where the end of the journal is missing: what was acknowledged, and what is there.</summary>
    public (long Acknowledged, long Found)? Cut { get; init; }
}
