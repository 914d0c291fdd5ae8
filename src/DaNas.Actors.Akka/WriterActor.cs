using Akka.Actor;
using Akka.Pattern;
using Akka.Persistence;
using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Ports;

namespace DaNas.Actors.Akka;

/// <summary>
/// The Akka.Persistence side of one incarnation: reads every row, checks the chain and the head outside, seals and stores for its shell, ends when
/// it fails.
/// </summary>
internal sealed class WriterActor(string persistenceId, Head? head, IFencedTables journal, JournalLedger ledger) : UntypedPersistentActor
{
    private readonly List<Row> rows = [];
    private long created;

    public override string PersistenceId => persistenceId;

    /// <summary>State comes from events alone.</summary>
    public override Recovery Recovery { get; } = new(SnapshotSelectionCriteria.None);

    /// <summary>The row's own time stands in what the journal replays, and nowhere else.</summary>
    protected override bool AroundReceive(Receive receive, object message)
    {
        if (message is ReplayedMessage replayed)
            created = replayed.Persistent.Timestamp;
        return base.AroundReceive(receive, message);
    }

    protected override void OnRecover(object message)
    {
        if (message is RecoveryCompleted)
            Open();
        else if (message is SealedEvent e)
            rows.Add(new Row(new RowHead(LastSequenceNr, created, e.Manifest), e.Message));
        else
            throw new JournalException(JournalFault.Damaged, $"event {LastSequenceNr} of {PersistenceId} is a {message.GetType().Name}: it was written by another program");
    }

    protected override void OnCommand(object message)
    {
        if (message is not Store store)
            return;
        SealedRows sealedRows;
        try
        {
            sealedRows = ledger.Seal(PersistenceId, LastSequenceNr, journal.EpochOf(PersistenceId), DateTimeOffset.UtcNow, store.Events);
        }
#pragma warning disable CA1031 // The shell decides what a failure means.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
            return;
        }

        foreach (object e in store.Events)
            FaultPoints.Passed?.Invoke(EventSites.Of(FaultPoints.EventBefore, e));
        int left = store.Events.Count;
        PersistAll(sealedRows.Rows.Select(r => new SealedEvent(r.Head.Manifest, r.Message)), _ =>
        {
            if (--left == 0)
                Acknowledge(sealedRows, store.Events);
        });
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) => Fail(journal.Translate(cause));

    /// <summary>Akka goes on after a rejection without calling back: for us it is a failure like any other.</summary>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) => Fail(journal.Translate(cause));

    protected override void OnRecoveryFailure(Exception reason, object? message = null) => Fail(reason switch
    {
        JournalException known => known,
        IllegalStateException filtered => new JournalException(JournalFault.Damaged, $"{PersistenceId}: rows of two writers are mixed ({filtered.Message}); restore the journal from a backup", filtered),
        _ => journal.Translate(reason),
    });

    /// <summary>Akka's LastSequenceNr may be higher than the last row; the rows are what counts.</summary>
    private void Open()
    {
        try
        {
            Context.Parent.Tell(new Recovered(ledger.Open(PersistenceId, head, rows)), Self);
            rows.Clear();
        }
#pragma warning disable CA1031 // As above: whatever is wrong with a row, the shell says it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
        }
    }

    /// <summary>The head is flushed before anybody hears of the events.</summary>
    private void Acknowledge(SealedRows stored, IReadOnlyList<object> events)
    {
        try
        {
            foreach (object e in events)
                FaultPoints.Passed?.Invoke(EventSites.Of(FaultPoints.EventAfter, e));
            ledger.Stored(PersistenceId, stored);
            Context.Parent.Tell(new Stored(stored.Head.Sequence), Self);
        }
#pragma warning disable CA1031 // The shell decides what a failure means; Akka would restart this actor beside it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e is IOException ? new JournalException(JournalFault.Unavailable, $"{e.Message}; free some space, the search then goes on", e) : e);
        }
    }

    private void Fail(Exception cause) => Context.Parent.Tell(new Failed(cause), Self);

    internal sealed record Store(IReadOnlyList<object> Events) : IInternal;

    internal sealed record Recovered(IReadOnlyList<StoredEvent> Events) : Shell.FromWriter;

    internal sealed record Stored(long Sequence) : Shell.FromWriter;

    internal sealed record Failed(Exception Cause) : Shell.FromWriter;
}
