namespace DaNas.Actors.Journals;

/// <summary>
/// Events by persistence id, read and made one's own here, stored through Akka.Persistence: the store itself refuses the rows of whoever is
/// not the one writer that acquired a persistence id last.
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
