using System.Text.Json;
using DaNas.Actors.Logging;
using DaNas.Domain.Faults;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Ports;

namespace DaNas.Actors.Dispatch;

/// <summary>Bounds of the dispatcher: counted failures of a unit, and seconds of a trainer's silence before its unit goes to another.</summary>
public sealed record DispatcherSettings(int Attempts, double SilenceSeconds);

/// <summary>
/// Matches units to idle trainers, first come first served. In memory only: after a restart requesters submit again what is
/// outstanding, and trainers report what they are busy with. A trainer that ends or falls silent loses only its lease; what it reports
/// later counts if nobody else was first, and is lost work if somebody was. Time is counted in ticks of its own timer, so that a clock that
/// jumps changes nothing.
/// </summary>
public sealed class DispatcherActor(DispatcherSettings settings) : IActor
{
    /// <summary>Results kept to answer a unit that is asked for again before its requester has stored the result.</summary>
    private const int RememberedResults = 1024;

    private const int GraceTicks = 5;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly LinkedList<DispatchItem> queue = new();
    private readonly Dictionary<string, Finished> done = new(StringComparer.Ordinal);
    private readonly Queue<string> doneOrder = new();
    private readonly Dictionary<string, DispatchItem> items = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Lease> trainers = new(StringComparer.Ordinal);
    private long now;

    public void Started(IActorContext context) => context.StartTimer("tick", Tick, new LeaseTick());

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
            case LeaseTick:
                CheckLeases(context);
                break;
            case Terminated m when trainers.Remove(m.Actor.Path, out Lease? lease) && lease.Running is { } item:
                Requeue(context, item, Lost($"{m.Actor} ended"));
                break;
        }

        Assign(context);
    }

    private static UnitOutcome.Failed Lost(string why) => new(FailureKind.ProcessLost, why, 0);

    private void Enqueue(IActorContext context, DispatchProtocol.Submit m)
    {
        string key = DispatchItem.KeyOf(m.Search, m.Unit.Id);
        if (done.TryGetValue(key, out Finished? finished))
        {
            finished.Owner = new ActorAddress(m.Owner);
            context.Tell(context.Sender!, new DispatchProtocol.UnitDone(finished.Result));
            return;
        }

        if (items.TryGetValue(key, out DispatchItem? known))
        {
            known.Requester = context.Sender!;
            known.Owner = new ActorAddress(m.Owner);
            known.Epoch = Math.Max(known.Epoch, m.Epoch);
            if (trainers.Values.All(t => t.Running != known))
                known.Unit = m.Unit;
            return;
        }

        DispatchItem item = new(m, context.Sender!);
        items[key] = item;
        queue.AddLast(item);
        context.Log(Line(LogEvent.DispatcherUnitQueued, item, "New", "Queued"));
    }

    private void Join(IActorContext context, DispatchProtocol.TrainerReady m)
    {
        ActorAddress trainer = context.Sender!;
        if (!trainers.TryGetValue(trainer.Path, out Lease? lease))
        {
            lease = new Lease(trainer);
            trainers[trainer.Path] = lease;
            context.Watch(trainer);
            context.Log(new StateChange(LogEvent.DispatcherTrainerJoined, "Absent", m.BusyWith is null ? "Idle" : "Busy") { Cause = trainer.Path });
        }

        lease.Seen = now;
        lease.Silent = m.SilentSeconds;
        lease.Busy = m.BusyWith is not null;
        if (lease.Running is { } item && m.BusyWith != item.Key && now - item.LeasedAt > GraceTicks)
        {
            lease.Running = null;
            Requeue(context, item, Lost($"{trainer} knows nothing of the attempt"));
        }
    }

    private void Ended(IActorContext context, DispatchProtocol.AttemptEnded m)
    {
        string key = DispatchItem.KeyOf(m.Search, m.Unit);
        bool holds = trainers.TryGetValue(context.Sender!.Path, out Lease? lease) && lease.Running is { } held && held.Key == key && held.Attempt == m.Attempt;
        DispatchItem? item = holds ? lease!.Running : null;
        if (holds)
            lease!.Running = null;
        if (lease is not null)
            lease.Busy = m.Outcome is UnitOutcome.Failed { Kind: FailureKind.Cancelled }; // Then until it says itself that it is idle.
        switch (m.Outcome)
        {
            case UnitOutcome.Completed c when done.TryGetValue(key, out Finished? first):
                Late(context, m, first, c.Result);
                break;
            case UnitOutcome.Completed c:
                Finish(context, key, m.Attempt, c.Result);
                break;
            case UnitOutcome.Failed f when item is not null:
                Requeue(context, item, f);
                break;
            case UnitOutcome.Failed f when f.LostSeconds > 0 && done.TryGetValue(key, out Finished? first) && first.Attempts.Add(m.Attempt):
                LateFailure(context, m, first, f); // A zombie's work is lost whether it came to a result or not.
                break;
        }
    }

    /// <summary>The first result of a unit counts, whatever its attempt; one that nobody has asked for yet is kept.</summary>
    private void Finish(IActorContext context, string key, int attempt, UnitResult result)
    {
        if (items.Remove(key, out DispatchItem? item))
        {
            queue.Remove(item);
            foreach (Lease other in trainers.Values.Where(t => t.Running == item))
                other.Running = null;
            context.Log(Line(LogEvent.DispatcherUnitDone, item, "Running", "Done"));
            context.Tell(item.Requester, new DispatchProtocol.UnitDone(result));
        }

        done[key] = new Finished(result, attempt) { Owner = item?.Owner };
        doneOrder.Enqueue(key);
        if (doneOrder.Count > RememberedResults)
            done.Remove(doneOrder.Dequeue());
    }

    private static void Late(IActorContext context, DispatchProtocol.AttemptEnded m, Finished first, UnitResult second)
    {
        string a = Canonical(first.Result);
        string b = Canonical(second);
        bool differs = a != b;
        if (!differs && !first.Attempts.Add(m.Attempt))
            return; // The same message again.
        context.Log(new StateChange(LogEvent.DispatcherLateResult, "Done", differs ? "Differs" : "Done") { Unit = m.Unit, Attempt = m.Attempt, Cause = $"{context.Sender} was late", IsWarning = differs });
        if (first.Owner is { } owner)
            context.Tell(owner, new DispatchProtocol.LateResult(m.Unit, m.Attempt, second.Timing.Seconds, differs ? Digest.Of(a).Short : null, differs ? Digest.Of(b).Short : null));
    }

    private static void LateFailure(IActorContext context, DispatchProtocol.AttemptEnded m, Finished first, UnitOutcome.Failed failure)
    {
        context.Log(new StateChange(LogEvent.DispatcherLateResult, "Done", "Done") { Unit = m.Unit, Attempt = m.Attempt, Cause = $"{context.Sender} was late, and failed: {failure.Cause}" });
        if (first.Owner is { } owner)
            context.Tell(owner, new DispatchProtocol.LateResult(m.Unit, m.Attempt, failure.LostSeconds, null, null));
    }

    private static string Canonical(UnitResult result) => JsonSerializer.Serialize(result, result.GetType(), DomainJson.Canonical);

    /// <summary>Back to the head of the queue, or out of it: once the counted failures reach the bound, or an input is gone.</summary>
    private void Requeue(IActorContext context, DispatchItem item, UnitOutcome.Failed failure)
    {
        item.Count(failure.Kind, now);
        bool exhausted = item.Failures >= failure.Kind.Bound(settings.Attempts);
        bool leaves = exhausted || failure.Kind == FailureKind.MissingBlob;
        context.Log(Line(LogEvent.DispatcherUnitFailed, item, "Running", exhausted ? "Exhausted" : leaves ? "Withdrawn" : "Queued") with { Cause = $"{failure.Kind}: {failure.Cause}", IsWarning = true });
        if (item.Losses is 5 or 50)
            context.Log(Line(LogEvent.DispatcherUnitUnlucky, item, "Queued", "Queued") with { Cause = $"lost {item.Losses} times in a row through no fault of its own: look for the kernel's OOM killer (dmesg), a failing node or a full disk; the last time: {failure.Cause}", IsWarning = true });
        if (failure.Kind == FailureKind.StorageUnavailable && item.Losses == 1)
            context.Log(Line(LogEvent.DispatcherStoragePaused, item, "Running", "Paused") with { Cause = failure.Cause, IsWarning = true });
        context.Tell(item.Requester, new DispatchProtocol.UnitFailed(item.Unit.Id, item.Attempt, failure, exhausted));
        if (failure.Blob is not null)
            done.Clear(); // Blobs are being lost: what was made before is looked at again by making it again.
        if (leaves)
            items.Remove(item.Key);
        else
            queue.AddFirst(item);
    }

    private void CheckLeases(IActorContext context)
    {
        now++;
        context.StartTimer("tick", Tick, new LeaseTick());
        foreach (Lease lease in trainers.Values.Where(t => t.Running is not null && Math.Max(now - t.Seen, t.Silent) > settings.SilenceSeconds))
        {
            DispatchItem item = lease.Running!;
            lease.Running = null;
            lease.Busy = true;
            context.Log(new StateChange(LogEvent.DispatcherTrainerSilent, "Running", "Silent") { Unit = item.Unit.Id, Attempt = item.Attempt, Cause = lease.Trainer.Path, IsWarning = true });
            Requeue(context, item, Lost(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{lease.Trainer} gave no sign of life for {settings.SilenceSeconds:0} s")));
        }
    }

    private void Assign(IActorContext context)
    {
        foreach (Lease lease in trainers.Values.Where(t => t.Running is null && !t.Busy && now - t.Seen <= settings.SilenceSeconds))
        {
            DispatchItem? item = queue.FirstOrDefault(i => i.NotBefore <= now);
            if (item is null)
                return;
            queue.Remove(item);
            item.Attempt++;
            item.LeasedAt = now;
            lease.Running = item;
            lease.Silent = 0;
            context.Log(Line(LogEvent.DispatcherUnitLeased, item, "Queued", "Running") with { Cause = lease.Trainer.Path });
            context.Tell(lease.Trainer, new DispatchProtocol.RunAttempt(item.Search, item.Unit, item.Attempt, item.Epoch));
        }
    }

    private static StateChange Line(LogEvent e, DispatchItem item, string from, string to) => new(e, from, to) { Search = item.Search, Unit = item.Unit.Id, Attempt = item.Attempt };

    private sealed record LeaseTick;

    /// <summary>What the dispatcher knows of one trainer.</summary>
    private sealed class Lease(ActorAddress trainer)
    {
        public ActorAddress Trainer { get; } = trainer;

        public DispatchItem? Running { get; set; }

        /// <summary>Busy with something that is not leased to it any more, or never was.</summary>
        public bool Busy { get; set; }

        public long Seen { get; set; }

        public double Silent { get; set; }
    }

    private sealed class Finished(UnitResult result, int attempt)
    {
        public UnitResult Result { get; } = result;

        public ActorAddress? Owner { get; set; }

        /// <summary>The attempts that reported, so that a doubled message is counted once.</summary>
        public HashSet<int> Attempts { get; } = [attempt];
    }
}
