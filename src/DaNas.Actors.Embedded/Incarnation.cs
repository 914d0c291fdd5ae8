using System.Threading.Channels;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Embedded;

/// <summary>One incarnation of an actor and the context it acts through: recovered, started, then message after message.</summary>
internal sealed class Incarnation : IActorContext, IDisposable
{
    private readonly ActorCell cell;
    private readonly IActor actor;
    private readonly Dictionary<string, (ITimer Timer, int Generation)> timers = new(StringComparer.Ordinal);
    private (IReadOnlyList<object> Events, Action Stored)? pending;
    private int generation;
    private bool stopping;

    public Incarnation(ActorCell cell, IActor actor)
    {
        this.cell = cell;
        this.actor = actor;
    }

    public ActorAddress Self => cell.Self;

    public ActorAddress? Parent => cell.Parent?.Self;

    public ActorAddress? Sender { get; private set; }

    public DateTimeOffset Now => cell.Host.Time.GetUtcNow();

    public long LastSequenceNumber { get; private set; }

    /// <summary>Runs until it stops (null) or fails (the fault). The failing message is dropped, the mailbox stays.</summary>
    public async Task<Exception?> LiveAsync(ChannelReader<Mail> mailbox, Action taken, Func<bool> stopRequested)
    {
#pragma warning disable CA1031 // Whatever an actor throws is its supervisor's business.
        try
        {
            await RecoverAsync();
            actor.Started(this);
            await StorePendingAsync();
            while (!stopping && !stopRequested())
            {
                Mail mail = await mailbox.ReadAsync();
                if (!mail.IsSystem)
                    taken();
                await HandleAsync(mail);
            }

            return null;
        }
        catch (Exception e)
        {
            return e;
        }
#pragma warning restore CA1031
    }

    public void Tell(ActorAddress receiver, object message) => cell.Host.Deliver(receiver, new Mail(message, Self));

    public ActorAddress Spawn(string name, Func<IActor> create) => cell.Spawn(name, create);

    public bool HasChild(string name) => cell.HasChild(name);

    public void Watch(ActorAddress actor) => cell.Watch(actor);

    public void StartTimer(string key, TimeSpan delay, object message)
    {
        CancelTimer(key);
        int mine = ++generation;
        ITimer timer = cell.Host.Time.CreateTimer(_ => cell.Post(new Mail(new TimerFired(this, key, mine, message), null, true)), null, delay, Timeout.InfiniteTimeSpan);
        timers[key] = (timer, mine);
    }

    public void CancelTimer(string key)
    {
        if (timers.Remove(key, out (ITimer Timer, int Generation) old))
            old.Timer.Dispose();
    }

    public void Persist(IReadOnlyList<object> events, Action stored)
    {
        if (actor is not IPersistentActor)
            throw new InvalidOperationException($"{Self} is not persistent");
        if (pending is not null)
            throw new InvalidOperationException($"{Self} persists twice in one turn: persist once, with all events");
        pending = (events, stored);
    }

    public void Run(string port, object request) => _ = RunPortAsync(port, request);

    public ActorAddress Resolve(string role) => cell.Host.Resolve(role);

    public void Stop() => stopping = true;

    public void StopChild(string name) => cell.StopChild(name);

    public void Log(StateChange change) => cell.Log(change);

    public void Dispose()
    {
        foreach ((ITimer timer, _) in timers.Values)
            timer.Dispose();
        timers.Clear();
    }

    private async Task RunPortAsync(string port, object request)
    {
        PortReply reply = await cell.Host.RunPortAsync(port, request);
        cell.Post(new Mail(reply, null, true));
    }

    private async Task RecoverAsync()
    {
        if (actor is not IPersistentActor persistent)
            return;
        IEventJournal journal = cell.Host.Journal ?? throw new InvalidOperationException($"{Self} is persistent and the host has no journal");
        foreach (StoredEvent stored in await journal.ReadAsync(persistent.PersistenceId))
        {
            persistent.Recover(stored.Event);
            LastSequenceNumber = stored.Sequence;
        }
    }

    private async Task HandleAsync(Mail mail)
    {
        object message = mail.Message;
        if (message is StopSignal || (mail.Ended is { } ended && !cell.Awaits(ended)))
            return;
        if (message is TimerFired fired)
        {
            if (fired.Owner != this || !timers.TryGetValue(fired.Key, out (ITimer Timer, int Generation) t) || t.Generation != fired.Generation)
                return;
            CancelTimer(fired.Key);
            message = fired.Message;
        }

        Sender = mail.Sender;
        actor.Receive(this, message);
        await StorePendingAsync();
        Sender = null;
    }

    private async Task StorePendingAsync()
    {
        while (pending is { } p)
        {
            pending = null;
            if (p.Events.Count > 0)
            {
                LastSequenceNumber = await cell.Host.Journal!.AppendAsync(((IPersistentActor)actor).PersistenceId, LastSequenceNumber, p.Events);
                cell.Stored();
            }

            p.Stored();
        }
    }

    private sealed record TimerFired(Incarnation Owner, string Key, int Generation, object Message);
}
