using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Dispatch;

/// <summary>Trainers that come, and the work that they bring with them.</summary>
public sealed partial class DispatcherActor
{
    /// <summary>Only from a trainer that is well: one from which the unit was withdrawn must not get it back by still being busy with it.</summary>
    private bool MayAdopt(Lease lease) => lease.Withdrawn != lease.BusyWith && Math.Max(now - lease.Seen, lease.Silent) <= BoundsOf(DispatchItem.SearchOf(lease.BusyWith)).SilenceSeconds && duties.GetValueOrDefault(lease.Host) == NodeDuty.Active;

    /// <summary>A trainer runs it already, for a former dispatcher: the work goes on.</summary>
    private void Adopt(Lease lease, DispatchItem item)
    {
        queue.Remove(item);
        lease.Give(item, (0, lease.BusyLease), now);
        Context.Write(Line(LogEvent.DispatcherUnitLeased, item, "Queued", "Running") with { Cause = $"{lease.Trainer.Text()} runs it already" });
    }

    private static IActorRef OwnerOf(DispatchProtocol.Submit m) => ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(m.Owner);

    /// <summary>Trainers of other nodes that have not told for the deadline that they are there.</summary>
    private void DropLost()
    {
        foreach (Lease lost in trainers.Values.Where(t => now - t.Seen > settings.TrainerDeadlineSeconds && !t.Trainer.IsHere()).ToList())
            Remove(lost, Verbose($"{lost.Trainer.Text()} has not been heard of for {settings.TrainerDeadlineSeconds} s"));
    }

    private void Remove(Lease lease, string why)
    {
        trainers.Remove(lease.Trainer.Text());
        Context.Write(new StateChange(LogEvent.DispatcherTrainerLost, "Joined", "Lost") { Cause = lease.Trainer.Text(), IsWarning = true });
        if (lease.Running is not null)
            Withdraw(lease, Lost(why));
    }

    /// <summary>What is known of a trainer; one that is new is busy until it says that it is idle.</summary>
    private Lease LeaseOf(IActorRef trainer)
    {
        if (trainers.TryGetValue(trainer.Text(), out Lease? known))
            return known;
        Lease lease = trainers[trainer.Text()] = new Lease(trainer, trainer.Host(Context.System)) { Busy = true, Seen = now };
        if (trainer.IsHere())
            Context.Watch(trainer); // Across nodes a death watch would quarantine a trainer that was frozen or cut off: there, heartbeats decide.
        Context.Write(new StateChange(LogEvent.DispatcherTrainerJoined, "Absent", "Joined") { Cause = trainer.Text() });
        return lease;
    }

    private static string Verbose(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private bool MayWork(Lease lease) => duties.TryGetValue(lease.Host, out NodeDuty duty) ? duty == NodeDuty.Active : !settings.AwaitsDuties;

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
            Withdraw(lease, Lost($"{trainer.Text()} knows nothing of the attempt"));
        else if (lease.Running is null && m.BusyWith is { } key && MayAdopt(lease) && items.TryGetValue(key, out DispatchItem? waiting) && queue.Contains(waiting) && !waiting.Ended.Contains(m.Lease))
            Adopt(lease, waiting);
    }
}
