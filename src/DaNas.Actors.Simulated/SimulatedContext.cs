using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Domain.Searches;

namespace DaNas.Actors.Simulated;

/// <summary>One incarnation of an actor, and the context it acts through.</summary>
internal sealed class SimulatedContext(SimulatedCell cell, IActor actor) : IActorContext
{
    private readonly Dictionary<string, int> timers = new(StringComparer.Ordinal);
    private (IReadOnlyList<object> Events, Action Stored)? pending;
    private int generation;
    private bool storing;
    private bool stopping;
    private bool abandoned;

    public ActorAddress Self => cell.Self;

    public ActorAddress? Parent => cell.Parent?.Self;

    public ActorAddress? Sender { get; private set; }

    public DateTimeOffset Now => cell.Node.Now;

    public long LastSequenceNumber { get; private set; }

    /// <summary>Whether it can take a message.</summary>
    public bool IsReady => !storing && !abandoned;

    private SimulatedWorld World => cell.Node.World;

    /// <summary>Recovers and starts.</summary>
    public void Begin()
    {
        if (actor is IPersistentActor persistent)
        {
            foreach (StoredEvent stored in World.Store.Read(persistent.PersistenceId))
            {
                persistent.Recover(World.Plant == Plant.ClockInFold ? WithClock(stored.Event) : stored.Event);
                LastSequenceNumber = stored.Sequence;
            }
        }

        actor.Started(this);
        StorePending();
    }

    public void Handle(SimulatedMail mail)
    {
        object message = mail.Message;
        if (mail.Ended is { } ended && !cell.Awaits(ended))
            return;
        if (message is TimerFired fired)
        {
            if (fired.Owner != this || timers.GetValueOrDefault(fired.Key) != fired.Generation)
                return;
            timers.Remove(fired.Key);
            message = fired.Message;
        }

        Sender = mail.Sender;
        Guard(() =>
        {
            actor.Receive(this, message);
            StorePending();
        });
    }

    public void Tell(ActorAddress receiver, object message) => cell.Send(receiver, message);

    public ActorAddress Spawn(string name, Func<IActor> create) => cell.Spawn(name, create);

    public bool HasChild(string name) => cell.HasChild(name);

    public void Watch(ActorAddress actor) => cell.Watch(actor);

    public void StartTimer(string key, TimeSpan delay, object message)
    {
        int mine = ++generation;
        timers[key] = mine;
        if (World.Plant == Plant.LostTimer && key == "retry")
            return;
        cell.Node.After(delay, () =>
        {
            if (!abandoned)
                cell.Post(new SimulatedMail(new TimerFired(this, key, mine, message), null, true));
        });
    }

    public void CancelTimer(string key) => timers.Remove(key);

    public void Persist(IReadOnlyList<object> events, Action stored)
    {
        if (actor is not IPersistentActor)
            throw new InvalidOperationException($"{Self} is not persistent");
        if (pending is not null)
            throw new InvalidOperationException($"{Self} persists twice in one turn: persist once, with all events");
        pending = (events, stored);
    }

    public void Run(string port, object request)
    {
        int incarnation = cell.Node.Incarnation;
        cell.Node.RunPort(port, request, (reply, failure) =>
        {
            if (incarnation == cell.Node.Incarnation)
                cell.Node.AtOnce(() => cell.Post(new SimulatedMail(new PortReply(port, request, reply, failure), null, true)));
        });
    }

    public ActorAddress Resolve(string role) => World.Resolve(role);

    public void Stop() => stopping = true;

    public void StopChild(string name) => cell.StopChild(name);

    public void Log(StateChange change) => cell.Log(change);

    /// <summary>This incarnation is over: its timers, and whatever comes back from ports and the store, are nobody's.</summary>
    public void Abandon()
    {
        abandoned = true;
        timers.Clear();
    }

    /// <summary>The planted defect: what is recovered depends on when.</summary>
    private object WithClock(object stored) => stored is SearchEvent.RoundCompleted e ? e with { Loss = e.Loss + (World.Elapsed.Ticks % 1000 * 1e-6) } : stored;

    private void StorePending()
    {
        if (pending is not { } p)
        {
            if (stopping)
                cell.End();
            return;
        }

        pending = null;
        if (p.Events.Count == 0)
        {
            p.Stored();
            StorePending();
            return;
        }

        storing = true;
        string id = ((IPersistentActor)actor).PersistenceId;
        AppendRequest request = new(id, cell.Node.EpochOf(id), LastSequenceNumber, p.Events);
        if (World.Plant == Plant.ReplyBeforePersist)
        {
            LastSequenceNumber += p.Events.Count;
            p.Stored();
        }

        World.Store.Append(cell.Node, request, fault => AfterStore(fault, p.Events.Count, p.Stored));
    }

    private void AfterStore(JournalException? fault, int count, Action stored)
    {
        if (abandoned)
            return;
        storing = false;
        if (fault is not null)
        {
            cell.Fail(fault);
            return;
        }

        cell.WasStored();
        Guard(() =>
        {
            if (World.Plant != Plant.ReplyBeforePersist)
            {
                LastSequenceNumber += count;
                stored();
            }

            StorePending();
        });
        cell.PlanTurn();
    }

    private void Guard(Action turn)
    {
#pragma warning disable CA1031 // Whatever an actor throws is its supervisor's business.
        try
        {
            turn();
        }
        catch (Exception e)
        {
            cell.Fail(e);
        }
#pragma warning restore CA1031
    }

    private sealed record TimerFired(SimulatedContext Owner, string Key, int Generation, object Message);
}
