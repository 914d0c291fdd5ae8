namespace DaNas.Actors.Journals;

/// <summary>An event as it stands in the journal: sequence number from 1, when it was stored, by which writer, and its link of the hash chain.</summary>
public sealed record StoredEvent(long Sequence, DateTimeOffset Created, string Manifest, object Event)
{
    public long Epoch { get; init; }

    public string Chain { get; init; } = string.Empty;
}

/// <summary>
/// Events by persistence id, read and made one's own here, stored through Akka.Persistence: the store itself refuses the rows of whoever is not the one
/// writer that acquired a persistence id last.
/// </summary>
public interface IEventJournal : IDisposable
{
    /// <summary>Makes this process the writer and returns its epoch (1 for the first).</summary>
    Task<long> AcquireAsync(string persistenceId);

    /// <summary>All events in order, hash chain checked. Throws <see cref="JournalException"/>.</summary>
    Task<IReadOnlyList<StoredEvent>> ReadAsync(string persistenceId);

    /// <summary>Persistence ids in order of their first event.</summary>
    Task<IReadOnlyList<string>> PersistenceIdsAsync();

    /// <summary>What the journal has is taken as it is, whatever its head outside says; the next append makes the head anew.</summary>
    void AcceptCut(string persistenceId);
}

/// <summary>What went wrong with the journal, in words for an operator.</summary>
public enum JournalFault
{
    /// <summary>Cannot be used now (full disk, lost connection); waiting helps.</summary>
    Unavailable,

    /// <summary>Another writer took over; this one must stop.</summary>
    Fenced,

    /// <summary>What is stored is not what was stored, or its end is missing.</summary>
    Damaged,

    /// <summary>Not a journal of this product, or of a newer version.</summary>
    Foreign,
}

/// <summary>A journal that cannot be used, with the cause and the remedy in its message.</summary>
public sealed class JournalException : Exception
{
    public JournalException(JournalFault fault, string message, Exception? inner = null)
        : base(message, inner) => Fault = fault;

    public JournalFault Fault { get; }

    /// <summary>Where the end of the journal is missing: what was acknowledged, and what is there.</summary>
    public (long Acknowledged, long Found)? Cut { get; init; }
}
