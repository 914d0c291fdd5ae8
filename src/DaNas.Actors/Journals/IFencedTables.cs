namespace DaNas.Actors.Journals;

/// <summary>
/// A journal whose tables another library writes (Akka.Persistence.Sql): who may write is still decided here, by acquiring, and the store
/// itself refuses the rows of anybody else.
/// </summary>
public interface IFencedTables
{
    /// <summary>Which store it is: <c>sqlite</c> or <c>postgresql</c>.</summary>
    string Kind { get; }

    /// <summary>How the library connects. May hold a secret: never logged.</summary>
    string ConnectionString { get; }

    /// <summary>From now on the store refuses rows whose epoch is not that of the writer who acquired last.</summary>
    Task FenceAsync();

    /// <summary>The epoch under which this process may write; throws <see cref="JournalException"/> where it may not.</summary>
    long EpochOf(string persistenceId);

    /// <summary>
    /// Whether an event that was read says that another process has written since: who rebuilds itself from it would go on under that one's
    /// epoch.
    /// </summary>
    bool IsOvertakenBy(string persistenceId, long epoch) => epoch > EpochOf(persistenceId);

    /// <summary>Seals and opens rows as this journal does, beside the same heads.</summary>
    JournalLedger NewLedger();

    /// <summary>A failure of the library or the store in an operator's words.</summary>
    JournalException Translate(Exception failure);
}
