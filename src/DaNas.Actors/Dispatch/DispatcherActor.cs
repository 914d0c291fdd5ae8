using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Logging;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Actors.Dispatch;

/// <summary>
/// Matches units to idle trainers, first come first served. In memory only: after a restart requesters submit again what is
/// outstanding, and trainers report what they are busy with. A trainer that ends or falls silent loses only its lease; what it reports
/// later counts if nobody else was first, and is lost work if somebody was. Time is counted in ticks of its own timer, so that a clock that
/// jumps changes nothing.
/// </summary>
public sealed partial class DispatcherActor : LoggedActor, IWithTimers
{
    public const string Name = "dispatcher";

    /// <summary>Results kept to answer a unit that is asked for again before its requester has stored the result.</summary>
    private const int RememberedResults = 1024;

    private const int GraceTicks = 5;

    /// <summary>
    /// A trainer of another node that has not been heard of just now may have ended, or be another process at the same address that starts:
    /// it gets nothing new before it is heard of.
    /// </summary>
    private const int FreshTicks = 1;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly LinkedList<DispatchItem> queue = new();
    private readonly Dictionary<string, Finished> done = new(StringComparer.Ordinal);
    private readonly Queue<string> doneOrder = new();
    private readonly Dictionary<string, DispatchItem> items = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Lease> trainers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NodeDuty> duties = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DispatcherSettings> bounds = new(StringComparer.Ordinal);
    private readonly DispatchPolicy policy = new();
    private readonly DispatcherSettings settings;
    private long now;
    // Begins with the clock (ticks of 100 ns), so that the leases of two dispatchers differ; a clock that is set back could repeat one.
    private long leases = Context.System.Scheduler.Now.UtcTicks;

    public DispatcherActor(DispatcherSettings settings)
    {
        this.settings = settings;
        On<DispatchProtocol.Submit>(Enqueue);
        On<DispatchProtocol.TrainerReady>(Join);
        On<DispatchProtocol.AttemptEnded>(Ended);
        Receive<LeaseTick>(_ =>
        {
            CheckLeases();
            Assign(true); // What is slow is looked for once a tick.
        });
        On<DispatchProtocol.SetHostDuty>(m =>
        {
            duties[m.Host] = m.Duty;
            foreach (Lease lease in trainers.Values.Where(t => t.Host == m.Host))
            {
                if (m.Duty == NodeDuty.Quarantined && lease.Running is not null)
                    Withdraw(lease, Lost($"{lease.Trainer.Text()} is quarantined"));
                AdoptWhatRuns(lease);
            }
        });
        On<DispatchProtocol.SetBounds>(m => bounds[m.Search] = new DispatcherSettings(m.Attempts, m.SilenceSeconds));
        On<DispatchProtocol.CountBusy>(_ =>
            Sender.Tell(new DispatchProtocol.Busy(trainers.Values.Where(t => t.Running is not null).GroupBy(t => t.Host)
                .Select(g => new HostLoad(g.Key, g.Count())).ToValueList())));
        On<DispatchProtocol.Forget>(m => Forget(m.Search));
        On<Terminated>(m =>
        {
            if (trainers.TryGetValue(m.ActorRef.Text(), out Lease? lease) && lease.Trainer.Equals(m.ActorRef))
                Remove(lease, $"{m.ActorRef.Text()} ended");
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer("tick", LeaseTick.Instance, Tick);

    /// <summary>After each message, idle trainers get what waits.</summary>
    private void On<T>(Action<T> handle) => Receive<T>(m =>
    {
        handle(m);
        if (queue.Count > 0)
            Assign(false);
    });

    private DispatcherSettings BoundsOf(string search) => bounds.GetValueOrDefault(search, settings);

    private static UnitOutcome.Failed Lost(string why) => new(FailureKind.ProcessLost, why, 0);

    private void Enqueue(DispatchProtocol.Submit m)
    {
        string key = DispatchItem.KeyOf(m.Search, m.Unit.Id);
        if (done.TryGetValue(key, out Finished? finished))
        {
            finished.Owner = OwnerOf(m);
            Sender.Tell(new DispatchProtocol.UnitDone(finished.Result));
            return;
        }

        if (items.TryGetValue(key, out DispatchItem? known))
        {
            known.Requester = Sender;
            known.Owner = OwnerOf(m);
            known.Epoch = Math.Max(known.Epoch, m.Epoch);
            if (trainers.Values.All(t => t.Running != known))
                known.Unit = m.Unit;
            return;
        }

        DispatchItem item = new(m, Sender, OwnerOf(m));
        items[key] = item;
        Context.Write(Line(LogEvent.DispatcherUnitQueued, item, "New", "Queued"));
        if (trainers.Values.FirstOrDefault(t => t.Running is null && t.BusyWith == key && MayAdopt(t)) is { } runs)
            Adopt(runs, item);
        else
            queue.AddLast(item);
    }

    private void Ended(DispatchProtocol.AttemptEnded m)
    {
        string key = DispatchItem.KeyOf(m.Search, m.Unit);
        Lease lease = LeaseOf(Sender);
        lease.Offers.Remove(key);
        if (m.Outcome is UnitOutcome.Completed && !Trusts(lease))
        {
            if (DutyOf(lease) is null)
                lease.Offers.Add(key); // Not noted, so it is told again.
            else
                Sender.Tell(Noted(m));
            return;
        }

        bool holds = lease.Running is { } held && held.Key == key && lease.Id == m.Lease;
        DispatchItem? item = holds ? lease.Take() : null;
        if (holds || (lease.Running is null && lease.BusyLease == m.Lease && lease.BusyWith == key))
        {
            lease.Busy = m.Outcome is UnitOutcome.Failed { Kind: FailureKind.Cancelled }; // Then until it says itself that it is idle.
            lease.BusyWith = null;
        }

        if (m.Outcome is UnitOutcome.Completed { Result: var made })
            lease.Remember(UnitResult.OutputOf(made));
        if (item is not null && m.Outcome is UnitOutcome.Completed)
            policy.Took(item, now - lease.Since);
        Sender.Tell(Noted(m));
        item?.Ended.Add(m.Lease);
        switch (m.Outcome)
        {
            case UnitOutcome.Completed c when done.TryGetValue(key, out Finished? first):
                LateResults.Tell(Context, m, first, c.Result);
                break;
            case UnitOutcome.Completed c:
                Finish(key, m.Lease, c.Result);
                break;
            case UnitOutcome.Failed { Kind: FailureKind.Unfit } f when item is not null:
                lease.Refuses(m.Search, now); // It says nothing of the unit: neither counted nor told.
                Context.Write(Line(LogEvent.DispatcherTrainerUnfit, item, "Idle", "Unfit")
                    with
                { Cause = $"{Sender.Text()}: {f.Cause}", IsWarning = true });
                PutBack(item);
                break;
            case UnitOutcome.Failed f when item is not null:
                if (f.Kind == FailureKind.OutOfMemory && trainers.Values.Any(t => t != lease && t.Fits(m.Search, now)))
                    lease.Refuses(m.Search, now); // Another device may have more.
                Requeue(item, m.Attempt, f);
                break;
            case UnitOutcome.Failed { Kind: not FailureKind.Cancelled } f when done.TryGetValue(key, out Finished? first)
                && first.Leases.Add(m.Lease):
                LateResults.TellFailure(Context, m, first, f); // A zombie's work is lost whether it came to a result or not.
                break;
        }
    }

    /// <summary>The first result of a unit counts, whatever its attempt; one that nobody has asked for yet is kept.</summary>
    private void Finish(string key, long lease, UnitResult result)
    {
        if (items.Remove(key, out DispatchItem? item))
        {
            queue.Remove(item);
            foreach (Lease other in trainers.Values.Where(t => t.Running == item))
            {
                other.Take();
                other.Busy = true; // It works on, for nothing, until it says that it is idle.
            }

            Context.Write(Line(LogEvent.DispatcherUnitDone, item, "Running", "Done"));
            item.Requester.Tell(new DispatchProtocol.UnitDone(result));
        }

        done[key] = new Finished(result, lease) { Owner = item?.Owner };
        done[key].Leases.UnionWith(item?.Ended ?? []);
        doneOrder.Enqueue(key);
        if (doneOrder.Count > RememberedResults)
            done.Remove(doneOrder.Dequeue());
    }

    /// <summary>Back to the head of the queue, or out of it: once the counted failures reach the bound, or an input is gone.</summary>
    private void Requeue(DispatchItem item, int attempt, UnitOutcome.Failed failure)
    {
        item.Count(failure.Kind, now);
        bool exhausted = item.Failures >= failure.Kind.Bound(BoundsOf(item.Search).Attempts);
        bool leaves = exhausted || failure.Kind == FailureKind.MissingBlob;
        Context.Write(Line(LogEvent.DispatcherUnitFailed, item, "Running", exhausted ? "Exhausted" : leaves ? "Withdrawn" : "Queued")
            with
        { Attempt = attempt, Cause = $"{failure.Kind}: {failure.Cause}", IsWarning = true });
        if (item.Losses is 5 or 50)
            Context.Write(Line(LogEvent.DispatcherUnitUnlucky, item, "Queued",
                "Queued") with
            {
                Cause = $"lost {item.Losses} times in a row, not caused by the unit itself: check for the kernel's OOM " +
                    $"killer (dmesg), a failing node or a full disk; last cause: {failure.Cause}",
                IsWarning = true
            });
        if (failure.Kind == FailureKind.StorageUnavailable && item.Losses == 1)
            Context.Write(Line(LogEvent.DispatcherStoragePaused, item, "Running", "Paused")
                with
            { Cause = failure.Cause, IsWarning = true });
        item.Requester.Tell(new DispatchProtocol.UnitFailed(item.Unit.Id, attempt, failure, exhausted));
        if (failure.Blob is not null)
            done.Clear(); // Blobs are being lost: what was made before is looked at again by making it again.
        if (!leaves)
            PutBack(item);
        else if (trainers.Values.All(t => t.Running != item))
            items.Remove(item.Key);
    }

    /// <summary>To the head of the queue, unless another attempt at it is under way.</summary>
    private void PutBack(DispatchItem item)
    {
        if (trainers.Values.All(t => t.Running != item))
            queue.AddFirst(item);
    }
    private void Assign(bool alsoStragglers)
    {
        List<Lease> all = [.. trainers.Values];
        List<Lease> idle = [.. all.Where(t => t.Running is null && !t.Busy
            && now - t.Seen <= (t.Trainer.IsHere() ? settings.SilenceSeconds : FreshTicks) && MayWork(t)).OrderBy(t => t.IsNew)];
        if (idle.Count == 0)
            return;
        Dictionary<string, int> running = DispatchPolicy.Running(all);
        HashSet<string> offered = Offered();
        List<DispatchItem> slow = alsoStragglers ? policy.Stragglers(all, now) : [];
        foreach (Lease lease in idle)
        {
            DispatchItem? item = queue.Count == 0 ? null : DispatchPolicy.Next(offered.Count == 0
                ? queue : queue.Where(i => !offered.Contains(i.Key)), lease, running, now);
            bool again = item is null;
            item ??= slow.Find(s => lease.Fits(s.Search, now));
            if (item is null)
                continue;
            slow.Remove(item);
            queue.Remove(item);
            item.Attempt++;
            running[item.Search] = running.GetValueOrDefault(item.Search) + 1;
            lease.Give(item, (item.Attempt, ++leases), now);
            Context.Write(Line(LogEvent.DispatcherUnitLeased, item, again ? "Running" : "Queued", "Running")
                with
            { Cause = again ? $"{lease.Trainer.Text()}, in parallel with a slow attempt" : lease.Trainer.Text() });
            lease.Trainer.Tell(new DispatchProtocol.RunAttempt(item.Search, item.Unit, item.Attempt, item.Epoch) { Lease = leases });
        }
    }

    private static DispatchProtocol.AttemptNoted Noted(DispatchProtocol.AttemptEnded m) =>
        new(m.Search, m.Unit, m.Attempt) { Lease = m.Lease };

    private static StateChange Line(LogEvent e, DispatchItem item, string from, string to) =>
        new(e, from, to) { Search = item.Search, Unit = item.Unit.Id, Attempt = item.Attempt };

    public static Props PropsOf(DispatcherSettings settings) => Props.Create(() => new DispatcherActor(settings));

    private sealed record LeaseTick
    {
        public static LeaseTick Instance { get; } = new();
    }
}
