using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Logging;
using DaNas.Domain.Ports;

namespace DaNas.Actors.Dispatch;

/// <summary>Trainers that come, and the work that they bring with them.</summary>
public sealed partial class DispatcherActor
{
    /// <summary>The reception tells duties again every 5 s.</summary>
    private const int OfferTicks = 10;

    /// <summary>
    /// Only from a trainer that is well: one from which the unit was withdrawn must not get it back by still being busy with it.
    /// </summary>
    private bool MayAdopt(Lease lease) => lease.Withdrawn != lease.BusyWith
        && Math.Max(now - lease.Seen, lease.Silent) <= BoundsOf(DispatchItem.SearchOf(lease.BusyWith)).SilenceSeconds && Trusts(lease);

    /// <summary>A trainer runs it already, for a former dispatcher: the work goes on.</summary>
    private void Adopt(Lease lease, DispatchItem item)
    {
        queue.Remove(item);
        lease.Give(item, (0, lease.BusyLease), now);
        Context.Write(Line(LogEvent.DispatcherUnitLeased, item, "Queued", "Running")
            with
        { Cause = $"{lease.Trainer.Text()} is already running it" });
    }

    private static IActorRef OwnerOf(DispatchProtocol.Submit m) => ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(m.Owner);

    /// <summary>Trainers of other nodes that have not told for the deadline that they are there.</summary>
    private void DropLost()
    {
        foreach (Lease lost in trainers.Values.Where(t => now - t.Seen > settings.TrainerDeadlineSeconds && !t.Trainer.IsHere()).ToList())
            Remove(lost, Invariant($"{lost.Trainer.Text()} has not been heard of for {settings.TrainerDeadlineSeconds} s"));
    }

    private void Remove(Lease lease, string why)
    {
        trainers.Remove(lease.Trainer.Text());
        Context.Write(new StateChange(LogEvent.DispatcherTrainerLost, "Joined", "Lost") { Cause = lease.Trainer.Text(), IsWarning = true });
        if (lease.Running is not null)
            Withdraw(lease, Lost(why));
    }

    private void Withdraw(Lease lease, UnitOutcome.Failed failure)
    {
        lease.Busy = true;
        if (lease.Take() is not { } item)
            return;
        lease.Withdrawn = item.Key;
        Requeue(item, lease.Attempt, failure);
    }

    /// <summary>What is known of a trainer; one that is new is busy until it says that it is idle.</summary>
    private Lease LeaseOf(IActorRef trainer)
    {
        if (trainers.TryGetValue(trainer.Text(), out Lease? known))
            return known;
        Lease lease = trainers[trainer.Text()] = new Lease(trainer, trainer.Host(Context.System)) { Busy = true, Seen = now, Joined = now };
        if (trainer.IsHere())
            // Across nodes a death watch would quarantine a trainer that was frozen or cut off: there, heartbeats decide.
            Context.Watch(trainer);
        Context.Write(new StateChange(LogEvent.DispatcherTrainerJoined, "Absent", "Joined") { Cause = trainer.Text() });
        return lease;
    }

    /// <summary>What a trainer's host may do; null before the reception has said so.</summary>
    private NodeDuty? DutyOf(Lease lease) => duties.TryGetValue(lease.Host, out NodeDuty duty) ? duty : settings.AwaitsDuties
        ? null : NodeDuty.Active;

    private bool MayWork(Lease lease) => DutyOf(lease) == NodeDuty.Active;

    /// <summary>Whoever quarantined a host does not trust its results, under this dispatcher or a former one.</summary>
    private bool Trusts(Lease lease) => DutyOf(lease) is { } duty and not NodeDuty.Quarantined;

    /// <summary>
    /// Units that a trainer runs or has run while it is not known whether that counts: for some seconds nobody else gets them.
    /// </summary>
    private HashSet<string> Offered()
    {
        HashSet<string> offered = new(StringComparer.Ordinal);
        if (!settings.AwaitsDuties)
            return offered;
        foreach (Lease lease in trainers.Values.Where(t => now - t.Joined <= OfferTicks))
        {
            offered.UnionWith(lease.Offers);
            if (lease.BusyWith is { } key && DutyOf(lease) is null)
                offered.Add(key);
        }

        return offered;
    }

    private void Join(DispatchProtocol.TrainerReady m)
    {
        IActorRef trainer = Sender;
        Lease lease = LeaseOf(trainer);
        lease.Trainer = trainer;
        lease.Seen = now;
        lease.Silent = m.SilentSeconds;
        lease.Busy = m.BusyWith is not null;
        (lease.BusyWith, lease.BusyLease) = (m.BusyWith, m.Lease);
        if (lease.Running is { } item && m.BusyWith != item.Key && now - lease.Since > GraceTicks)
            Withdraw(lease, Lost($"{trainer.Text()} does not know the attempt"));
        else
            AdoptWhatRuns(lease);
    }

    private void AdoptWhatRuns(Lease lease)
    {
        if (lease.Running is null && lease.BusyWith is { } key && MayAdopt(lease) && items.TryGetValue(key, out DispatchItem? waiting)
            && queue.Contains(waiting) && !waiting.Ended.Contains(lease.BusyLease))
            Adopt(lease, waiting);
    }


    private void CheckLeases()
    {
        now++;
        DropLost();
        foreach (Lease lease in trainers.Values.Where(t => t.Running is not null
            && Math.Max(now - t.Seen, t.Silent) > BoundsOf(t.Running.Search).SilenceSeconds))
        {
            Context.Write(new StateChange(LogEvent.DispatcherTrainerSilent, "Running", "Silent")
            {
                Unit = lease.Running!.Unit.Id,
                Attempt = lease.Attempt,
                Cause = lease.Trainer.Text(),
                IsWarning = true
            });
            Withdraw(lease,
                Lost(Invariant($"{lease.Trainer.Text()} has not responded for {BoundsOf(lease.Running.Search).SilenceSeconds:0} s")));
        }
    }

    /// <summary>A search is over: nobody waits for its units any more.</summary>
    private void Forget(string search)
    {
        bounds.Remove(search);
        policy.Forget(search);
        foreach (string key in done.Keys.Where(k => DispatchItem.SearchOf(k) == search).ToList())
            done.Remove(key); // Their blobs may be discarded; a search that goes on makes them again.
        foreach (DispatchItem item in items.Values.Where(i => i.Search == search).ToList())
        {
            items.Remove(item.Key);
            queue.Remove(item);
            foreach (Lease lease in trainers.Values.Where(t => t.Running == item))
            {
                lease.Take();
                lease.Busy = true;
            }
        }
    }
}
