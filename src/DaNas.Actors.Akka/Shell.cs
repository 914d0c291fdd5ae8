using Akka.Actor;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Akka;

/// <summary>What of an actor outlives a restart.</summary>
internal sealed class Life
{
    public int Restarts { get; set; }

    public int Outages { get; set; }

    public DateTimeOffset LastRestart { get; set; }

    /// <summary>Whose ends are awaited; refs, not addresses: a new child under an old name is another.</summary>
    public HashSet<IActorRef> Watching { get; } = [];
}

/// <summary>
/// One incarnation of an actor and the context it acts through. A persistent one has a child, the writer, which is the Akka.Persistence actor:
/// Akka stops that one for good when a persist fails, and its stash and mailbox with it, so nothing that must be kept may wait there.
/// </summary>
internal sealed partial class Shell : UntypedActor, IWithUnboundedStash, IWithTimers, IActorContext
{
    private const string Writer = "writer~";
    private readonly AkkaHost host;
    private readonly Func<IActor> create;
    private readonly Life life;
    private readonly Dictionary<string, int> timers = new(StringComparer.Ordinal);
    private IActor actor = null!;
    private IActorRef? writer;
    private ActorAddress? inTurn;
    private (IReadOnlyList<object> Events, Action Stored)? pending;
    private Action? storing;
    private int generation;
    private bool ready;
    private bool stopping;

    public Shell(AkkaHost host, Func<IActor> create, Life life)
    {
        this.host = host;
        this.create = create;
        this.life = life;
        Self = host.Address(base.Self);
        Parent = host.AddressOf(Context.Parent);
    }

    public IStash Stash { get; set; } = null!;

    public ITimerScheduler Timers { get; set; } = null!;

    private bool Busy => !ready || storing is not null;

    protected override SupervisorStrategy SupervisorStrategy() => AlwaysRestart.Strategy;

    protected override void PreStart() => base.Self.Tell(new Begin(), base.Self);

    /// <summary>Ends the children, as Akka would, without the word that this actor has stopped.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
        foreach (IActorRef child in Context.GetChildren())
        {
            Context.Unwatch(child);
            Context.Stop(child);
        }
    }

    protected override void PostRestart(Exception reason)
    {
        life.Watching.RemoveWhere(w => w.Path.Parent.Equals(base.Self.Path));
        JournalException? journal = reason as JournalException;
        if (journal is { Fault: JournalFault.Fenced or JournalFault.Damaged or JournalFault.Foreign })
        {
            Log(new StateChange(LogEvent.ActorFailed, "Running", "Ended") { Cause = journal.Message, IsWarning = true });
            host.Die(journal.Message);
            Context.Stop(base.Self);
        }
        else if (journal is { Fault: JournalFault.Unavailable })
        {
            // A store that cannot be used now is waited for, however long: said once, tried again with back-off.
            if (life.Outages++ == 0)
                Log(new StateChange(LogEvent.JournalUnavailable, "Running", "Paused") { Cause = journal.Message, IsWarning = true });
            BeginIn(host.Bounds.Backoff(life.Outages));
        }
        else
        {
            RestartAfter(reason);
        }
    }

    protected override void PostStop() => Log(new StateChange(LogEvent.ActorStopped, "Running", "Stopped"));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Begin:
                Incarnate();
                break;
            case FromWriter m:
                if (Equals(base.Sender, writer))
                    FromTheWriter(m);
                break;
            case global::Akka.Actor.Terminated t when Equals(t.ActorRef, writer):
                throw new InvalidOperationException($"the writer of {Self} ended");
            case global::Akka.Actor.Terminated t when !life.Watching.Contains(t.ActorRef):
                break;
            case Fired m when !timers.TryGetValue(m.Key, out int g) || g != m.Generation:
                break;
            case var _ when Busy:
                Stash.Stash();
                break;
            case Fired m:
                timers.Remove(m.Key);
                Handle(m.Message, null);
                break;
            case FromPort m:
                Handle(m.Reply, null);
                break;
            case global::Akka.Actor.Terminated t:
                life.Watching.Remove(t.ActorRef);
                Handle(new Terminated(host.Address(t.ActorRef)), null);
                break;
            default:
                ((Context as ActorCell)?.Mailbox?.MessageQueue as CountingMailbox.Queue)?.Taken();
                Handle(message is Local local ? local.Message : message, host.AddressOf(base.Sender));
                break;
        }
    }

    private void RestartAfter(Exception reason)
    {
        DateTimeOffset now = Now;
        life.Restarts = now - life.LastRestart > TimeSpan.FromMinutes(1) ? 1 : life.Restarts + 1;
        life.LastRestart = now;
        if (life.Restarts > host.Bounds.MaximumRestarts)
        {
            Log(new StateChange(LogEvent.ActorFailed, "Running", "Ended") { Cause = $"{life.Restarts - 1} restarts did not help: {reason.Message}", IsWarning = true });
            if (Parent is null)
                host.Die($"{Self} failed: {reason.Message}");
            Context.Stop(base.Self);
            return;
        }

        TimeSpan delay = host.Bounds.Backoff(life.Restarts);
        Log(new StateChange(LogEvent.ActorRestarted, "Faulted", "Restarting") { Attempt = life.Restarts, Cause = $"{reason.GetType().Name}: {reason.Message}; again in {delay.TotalSeconds:0.0##} s", IsWarning = true });
        BeginIn(delay);
    }

    private void BeginIn(TimeSpan delay) => Timers.StartSingleTimer("$begin", new Begin(), delay);

    private void Incarnate()
    {
        actor = create();
        if (actor is not IPersistentActor persistent)
        {
            Begun();
            return;
        }

        IFencedTables journal = host.Journal ?? throw new InvalidOperationException($"{Self} is persistent and the host has no journal");
        string id = persistent.PersistenceId;
        JournalLedger ledger = host.Ledger!;
        Head? head = host.Ledger!.HeadOf(id); // Before the rows: a writer stores the event first and its head afterwards.
        writer = Context.Watch(Context.ActorOf(Props.Create(() => new WriterActor(id, head, journal, ledger)).WithDispatcher("danas.writer-dispatcher"), Writer));
    }

    private void Begun()
    {
        ready = true;
        actor.Started(this);
        EndTurn();
        if (!Busy)
            Stash.UnstashAll();
    }

    private void FromTheWriter(FromWriter message)
    {
        switch (message)
        {
            case WriterActor.Recovered m:
                foreach (StoredEvent stored in m.Events)
                {
                    ((IPersistentActor)actor).Recover(stored.Event);
                    LastSequenceNumber = stored.Sequence;
                }

                Begun();
                break;
            case WriterActor.Stored m:
                LastSequenceNumber = m.Sequence;
                if (life.Outages > 0)
                    Log(new StateChange(LogEvent.JournalAvailable, "Paused", "Running") { IsWarning = true });
                life.Outages = 0;
                Action acknowledged = storing!;
                storing = null;
                Sender = inTurn;
                acknowledged();
                EndTurn();
                if (!Busy)
                    Stash.UnstashAll();
                break;
            case WriterActor.Failed m:
                throw m.Cause;
        }
    }

    private void Handle(object message, ActorAddress? sender)
    {
        Sender = inTurn = sender;
        actor.Receive(this, message);
        EndTurn();
    }

    /// <summary>Stores what the turn persisted; the turn goes on in the callback. Nothing to store calls back at once.</summary>
    private void EndTurn()
    {
        while (pending is { } p)
        {
            pending = null;
            if (p.Events.Count > 0)
            {
                storing = p.Stored;
                writer!.Tell(new WriterActor.Store(p.Events), base.Self);
                return;
            }

            p.Stored();
        }

        Sender = inTurn = null;
        if (stopping)
            Context.Stop(base.Self);
    }

    /// <summary>From the writer of this incarnation; one of an older is told apart by its ref.</summary>
    internal abstract record FromWriter : IInternal;

    private sealed record Begin : IInternal;

    private sealed record Fired(string Key, int Generation, object Message) : IInternal;

    private sealed record FromPort(PortReply Reply) : IInternal;
}
