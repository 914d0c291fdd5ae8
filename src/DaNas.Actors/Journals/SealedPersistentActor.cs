using Akka.Actor;
using Akka.Pattern;
using Akka.Persistence;
using DaNas.Actors.Logging;
using DaNas.Actors.Wire;
using DaNas.Domain.Ports;
using SerializationException = System.Runtime.Serialization.SerializationException;

namespace DaNas.Actors.Journals;

/// <summary>
/// A persistent actor whose events are sealed onto a hash chain, under the epoch of the one writer, with the chain's head in a file
/// outside: what Akka.Persistence does not have, and what lets a journal be trusted. A persist that fails stops the actor; its
/// <see cref="BackoffSupervisor"/> rebuilds it from the journal.
/// </summary>
public abstract class SealedPersistentActor : ReceivePersistentActor
{
    /// <summary>
    /// The dispatcher of writers: threads of their own, since a head is flushed to the disk before its events are acknowledged.
    /// </summary>
    public const string Dispatcher = "danas.writer-dispatcher";

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(5);

    private readonly WritersJournal journal;
    private readonly WriterHealth health;
    private readonly Head? head;
    private readonly JournalException? unreadable;
    private readonly List<Row> rows = [];
    private bool healthy;
    private long created;

    protected SealedPersistentActor(string persistenceId, WritersJournal journal, WriterHealth health)
    {
        PersistenceId = persistenceId;
        this.journal = journal;
        this.health = health;
        try
        {
            head = journal.Ledger.HeadOf(persistenceId); // Before the rows: a writer stores the event first and its head afterwards.
        }
        catch (JournalException e)
        {
            unreadable = e;
        }

        Recover<SealedEvent>(e => rows.Add(new Row(new RowHead(LastSequenceNr, created, e.Manifest), e.Message)));
        Recover<RecoveryCompleted>(_ => Open());
        RecoverAny(e => throw new JournalException(JournalFault.Damaged,
            $"event {LastSequenceNr} of {PersistenceId} is a {e.GetType().Name}: it was written by another program"));
    }

    public override string PersistenceId { get; }

    /// <summary>State comes from events alone.</summary>
    public override Recovery Recovery { get; } = new(SnapshotSelectionCriteria.None);

    /// <summary>Applies one stored event to the state.</summary>
    protected abstract void Apply(object stored);

    /// <summary>After the last stored event, in each incarnation.</summary>
    protected abstract void Recovered();

    /// <summary>
    /// A writer under its supervisor: what it throws, or a persist that fails, stops it, and it is rebuilt from the journal after a while,
    /// longer each time until an event is stored. A store that is away is waited for, however long; after more than
    /// <see cref="SaidStrategy.Most"/> failures of its own the supervisor ends.
    /// </summary>
    public static Props Supervised(Props writer, string name, WriterHealth health) => BackoffSupervisor.Props(Backoff
        .OnStop(writer.WithDispatcher(Dispatcher), name, FirstBackoff, LongestBackoff, 0, -1)
        .WithSupervisorStrategy(new WriterStrategy(health))
        .WithFinalStopMessage(m => m is WriterEnded)
        .WithManualReset());

    /// <summary>Seals and stores the events, all or none; calls back when they are durable, and commands wait until then.</summary>
    protected void PersistSealed(IReadOnlyList<object> events, Action stored)
    {
        if (events.Count == 0)
        {
            stored();
            return;
        }

        SealedRows sealedRows;
        try
        {
            sealedRows = journal.Ledger.Seal(PersistenceId, LastSequenceNr, journal.Tables.EpochOf(PersistenceId),
                Context.System.Scheduler.Now, events);
        }
        catch (JournalException e)
        {
            Fail(e);
            return;
        }

        foreach (object e in events)
            FaultPoints.Passed?.Invoke(EventSites.Of(FaultPoints.EventBefore, e));
        int left = events.Count;
        PersistAll(sealedRows.Rows.Select(r => new SealedEvent(r.Head.Manifest, r.Message)), _ =>
        {
            if (--left > 0)
                return;
            foreach (object e in events)
                FaultPoints.Passed?.Invoke(EventSites.Of(FaultPoints.EventAfter, e));
            try
            {
                journal.Ledger.Stored(PersistenceId, sealedRows); // The head is flushed before anybody hears of the events.
            }
            catch (IOException e)
            {
                Fail(new JournalException(JournalFault.Unavailable, $"{e.Message}; free some space, and the search will continue", e));
                return;
            }

            WasStored();
            stored();
        });
    }

    /// <summary>The row's own time stands in what the journal replays, and nowhere else.</summary>
    protected override bool AroundReceive(Receive receive, object message)
    {
        if (message is ReplayedMessage replayed)
            created = replayed.Persistent.Timestamp;
        return base.AroundReceive(receive, message);
    }

    protected override void PreRestart(Exception reason, object message) =>
        throw new InvalidOperationException("a writer is stopped and rebuilt, never restarted", reason);

    /// <summary>While the journal is away, the last line says so, however often the writer is rebuilt.</summary>
    protected override void PostStop()
    {
        if (!health.IsAway)
            Context.WriteStopped();
        base.PostStop();
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) => Failed(cause);

    /// <summary>Akka goes on after a rejection without calling back: here it is a failure like any other.</summary>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) => Fail(cause);

    /// <summary>
    /// Akka's replay filter tells of two writers by an exception of its own; what is no row of ours fails to be read, and no waiting heals
    /// it.
    /// </summary>
    protected override void OnRecoveryFailure(Exception reason, object? message = null) => Failed(reason switch
    {
        IllegalStateException => new JournalException(JournalFault.Damaged,
            $"{PersistenceId}: rows of two writers are mixed ({reason.Message}); restore the journal from a backup", reason),
        _ when Unreadable(reason) is { } why => new JournalException(
            JournalFault.Damaged, $"{PersistenceId}: a row cannot be read ({why}); restore the journal from a backup", reason),
        _ => reason,
    });

    private static string? Unreadable(Exception? e) => e switch
    {
        null => null,
        SerializationException or InvalidCastException or FormatException or InvalidDataException => e.Message,
        _ => Unreadable(e.InnerException),
    };

    private void Open()
    {
        if (unreadable is not null)
        {
            Fail(unreadable);
            return;
        }

        try
        {
            // First: what a newer version stored may be unreadable here.
            if (rows.Count > 0 && journal.Tables.IsOvertakenBy(PersistenceId, Wire.Envelope.EpochOf(rows[^1].Message)))
                throw new JournalException(JournalFault.Fenced, $"another process has taken over {PersistenceId}; this process stops");
            // Akka's LastSequenceNr may be higher than the last row; the rows are what counts.
            foreach (StoredEvent stored in journal.Ledger.Open(PersistenceId, head, rows))
                Apply(stored.Event);
        }
        catch (JournalException e)
        {
            Fail(e);
            return;
        }

        rows.Clear();
        Recovered();
    }

    /// <summary>What Akka does when a persist fails, where the failure is ours to find.</summary>
    private void Fail(Exception cause)
    {
        Failed(cause);
        Context.Stop(Self);
    }

    private void WasStored()
    {
        if (health.IsAway)
            Context.Write(new StateChange(LogEvent.JournalAvailable, "Paused", "Running") { IsWarning = true });
        health.IsAway = false;
        health.Failures = 0;
        if (!healthy)
            Context.Parent.Tell(BackoffSupervisor.Reset.Instance);
        healthy = true;
    }

    /// <summary>A store that is away is waited for, and no fault of this actor.</summary>
    private void Failed(Exception cause)
    {
        JournalException fault = cause as JournalException ?? journal.Tables.Translate(cause);
        if (fault.Fault != JournalFault.Unavailable)
        {
            Context.Write(new StateChange(LogEvent.ActorFailed, "Running", "Ended") { Cause = fault.Message, IsWarning = true });
            Context.System.EventStream.Publish(new HostMustEnd(fault.Message));
            // Not rebuilt: another writer's events would make it go on under that one's epoch.
            Context.Parent.Tell(new WriterEnded(), ActorRefs.NoSender);
            return;
        }

        if (!health.IsAway)
            Context.Write(new StateChange(LogEvent.JournalUnavailable, "Running", "Paused") { Cause = fault.Message, IsWarning = true });
        health.IsAway = true;
    }

    /// <summary>To the supervisor: the writer is not to be rebuilt.</summary>
    private sealed record WriterEnded : INoSerializationVerificationNeeded;

    private sealed class WriterStrategy(WriterHealth health) : SaidStrategy(_ => Directive.Stop, -1)
    {
        protected override bool GoesOn(Directive directive) => ++health.Failures <= Most;

        protected override void LogFailure(IActorContext context, IActorRef child, Exception cause, Directive directive)
        {
            base.LogFailure(context, child, cause, directive);
            if (health.Failures > Most)
                context.Stop(context.Self);
        }
    }
}
