using DaNas.Actors.Logging;
using DaNas.Domain.Work;
using DaNas.Ports;

namespace DaNas.Actors.Dispatch;

/// <summary>Bounds of the dispatcher.</summary>
public sealed record DispatcherSettings(int Attempts);

/// <summary>
/// Matches units to idle trainers, first come first served. In memory only: after a restart requesters submit again what is
/// outstanding. A trainer that ends takes only its attempt with it; the unit goes to the head of the queue.
/// </summary>
public sealed class DispatcherActor(DispatcherSettings settings) : IActor
{
    /// <summary>Results kept to answer a unit that is asked for again before its requester has stored the result.</summary>
    private const int RememberedResults = 1024;

    private readonly LinkedList<Item> queue = new();
    private readonly Dictionary<string, UnitResult> done = new(StringComparer.Ordinal);
    private readonly Queue<string> doneOrder = new();
    private readonly Dictionary<string, Item> items = new(StringComparer.Ordinal);
    private readonly Dictionary<ActorAddress, Item?> trainers = [];

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case DispatchProtocol.Submit m:
                Enqueue(context, m);
                break;
            case DispatchProtocol.TrainerReady m:
                Join(context, m);
                break;
            case DispatchProtocol.AttemptEnded m:
                Ended(context, m);
                break;
            case Terminated m when trainers.Remove(m.Actor, out Item? running) && running is not null:
                Requeue(context, running, new UnitOutcome.Failed(FailureKind.ProcessLost, $"{m.Actor} ended", 0));
                break;
        }

        Assign(context);
    }

    private void Enqueue(IActorContext context, DispatchProtocol.Submit m)
    {
        if (done.TryGetValue(m.Unit.Id, out UnitResult? result))
        {
            context.Tell(context.Sender!, new DispatchProtocol.UnitDone(result));
            return;
        }

        if (items.TryGetValue(m.Unit.Id, out Item? known))
        {
            known.Requester = context.Sender!;
            known.Epoch = m.Epoch;
            return;
        }

        Item item = new(m.Unit, context.Sender!, m.Epoch);
        items[m.Unit.Id] = item;
        queue.AddLast(item);
        context.Log(Line(LogEvent.DispatcherUnitQueued, item, "New", "Queued"));
    }

    private void Join(IActorContext context, DispatchProtocol.TrainerReady m)
    {
        ActorAddress trainer = context.Sender!;
        if (!trainers.TryGetValue(trainer, out Item? running))
        {
            if (m.BusyWith is not null)
                return;
            trainers[trainer] = null;
            context.Watch(trainer);
            context.Log(new StateChange(LogEvent.DispatcherTrainerJoined, "Absent", "Idle") { Cause = trainer.Path });
        }
        else if (m.BusyWith is null && running is not null && running.Told + TimeSpan.FromSeconds(5) < context.Now)
        {
            trainers[trainer] = null;
            Requeue(context, running, new UnitOutcome.Failed(FailureKind.ProcessLost, $"{trainer} is idle and knows nothing of the attempt", 0));
        }
    }

    private void Ended(IActorContext context, DispatchProtocol.AttemptEnded m)
    {
        ActorAddress trainer = context.Sender!;
        if (!trainers.TryGetValue(trainer, out Item? item) || item is null || item.Unit.Id != m.Unit || item.Attempt != m.Attempt)
            return;
        trainers[trainer] = null;
        switch (m.Outcome)
        {
            case UnitOutcome.Completed completed:
                items.Remove(m.Unit);
                Remember(completed.Result);
                context.Log(Line(LogEvent.DispatcherUnitDone, item, "Running", "Done"));
                context.Tell(item.Requester, new DispatchProtocol.UnitDone(completed.Result));
                break;
            case UnitOutcome.Failed failed:
                Requeue(context, item, failed);
                break;
        }
    }

    private void Remember(UnitResult result)
    {
        done[result.Unit] = result;
        doneOrder.Enqueue(result.Unit);
        if (doneOrder.Count > RememberedResults)
            done.Remove(doneOrder.Dequeue());
    }

    /// <summary>Back to the head of the queue, or out of it once the counted failures reach the bound.</summary>
    private void Requeue(IActorContext context, Item item, UnitOutcome.Failed failure)
    {
        if (failure.Counts)
            item.Failures++;
        bool exhausted = item.Failures >= settings.Attempts;
        context.Log(Line(LogEvent.DispatcherUnitFailed, item, "Running", exhausted ? "Exhausted" : "Queued") with { Cause = $"{failure.Kind}: {failure.Cause}", IsWarning = true });
        context.Tell(item.Requester, new DispatchProtocol.UnitFailed(item.Unit.Id, item.Attempt, failure, exhausted));
        if (exhausted)
            items.Remove(item.Unit.Id);
        else
            queue.AddFirst(item);
    }

    private void Assign(IActorContext context)
    {
        foreach (ActorAddress trainer in trainers.Where(t => t.Value is null).Select(t => t.Key).OrderBy(t => t.Path, StringComparer.Ordinal).ToList())
        {
            if (queue.First is not { } first)
                return;
            queue.RemoveFirst();
            Item item = first.Value;
            item.Attempt++;
            item.Told = context.Now;
            trainers[trainer] = item;
            context.Log(Line(LogEvent.DispatcherUnitLeased, item, "Queued", "Running") with { Cause = trainer.Path });
            context.Tell(trainer, new DispatchProtocol.RunAttempt(item.Unit, item.Attempt, item.Epoch));
        }
    }

    private static StateChange Line(LogEvent e, Item item, string from, string to) => new(e, from, to) { Unit = item.Unit.Id, Attempt = item.Attempt };

    private sealed class Item(WorkUnit unit, ActorAddress requester, long epoch)
    {
        public WorkUnit Unit { get; } = unit;

        public ActorAddress Requester { get; set; } = requester;

        public long Epoch { get; set; } = epoch;

        public int Attempt { get; set; }

        public int Failures { get; set; }

        public DateTimeOffset Told { get; set; }
    }
}
