using DaNas.Actors.Cluster;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Dispatch;

/// <summary>Trainers that come, and the work that they bring with them.</summary>
public sealed partial class DispatcherActor
{
    /// <summary>Only from a trainer that is well: one from which the unit was withdrawn must not get it back by still being busy with it.</summary>
    private bool MayAdopt(Lease lease) => lease.Withdrawn != lease.BusyWith && Math.Max(now - lease.Seen, lease.Silent) <= BoundsOf(DispatchItem.SearchOf(lease.BusyWith)).SilenceSeconds && duties.GetValueOrDefault(lease.Trainer.Host) == NodeDuty.Active;

    /// <summary>A trainer runs it already, for a former dispatcher: the work goes on.</summary>
    private void Adopt(IActorContext context, Lease lease, DispatchItem item)
    {
        queue.Remove(item);
        lease.Give(item, 0, now);
        context.Log(Line(LogEvent.DispatcherUnitLeased, item, "Queued", "Running") with { Cause = $"{lease.Trainer} runs it already" });
    }

    private static bool IsHere(IActorContext context, ActorAddress trainer) => trainer.Host.Length == 0 || trainer.Host == context.Self.Host;

    /// <summary>Trainers of other nodes that have not told for the deadline that they are there.</summary>
    private void DropLost(IActorContext context)
    {
        foreach (Lease lost in trainers.Values.Where(t => now - t.Seen > settings.TrainerDeadlineSeconds && !IsHere(context, t.Trainer)).ToList())
            Remove(context, lost, Verbose($"{lost.Trainer} has not been heard of for {settings.TrainerDeadlineSeconds} s"));
    }

    private void Remove(IActorContext context, Lease lease, string why)
    {
        trainers.Remove(lease.Trainer.Path);
        context.Log(new StateChange(LogEvent.DispatcherTrainerLost, "Joined", "Lost") { Cause = lease.Trainer.Path, IsWarning = true });
        if (lease.Running is not null)
            Withdraw(context, lease, Lost(why));
    }

    private static string Verbose(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private bool MayWork(Lease lease) => duties.TryGetValue(lease.Trainer.Host, out NodeDuty duty) ? duty == NodeDuty.Active : !settings.AwaitsDuties;

    private void Join(IActorContext context, DispatchProtocol.TrainerReady m)
    {
        ActorAddress trainer = context.Sender!;
        if (!trainers.TryGetValue(trainer.Path, out Lease? lease))
        {
            lease = new Lease(trainer);
            trainers[trainer.Path] = lease;
            if (IsHere(context, trainer))
                context.Watch(trainer); // Across nodes a death watch would quarantine a trainer that was frozen or cut off: there, heartbeats decide.
            context.Log(new StateChange(LogEvent.DispatcherTrainerJoined, "Absent", m.BusyWith is null ? "Idle" : "Busy") { Cause = trainer.Path });
        }

        lease.Seen = now;
        lease.Silent = m.SilentSeconds;
        lease.Busy = m.BusyWith is not null;
        lease.BusyWith = m.BusyWith;
        if (lease.Running is { } item && m.BusyWith != item.Key && now - lease.Since > GraceTicks)
            Withdraw(context, lease, Lost($"{trainer} knows nothing of the attempt"));
        else if (lease.Running is null && m.BusyWith is { } key && MayAdopt(lease) && items.TryGetValue(key, out DispatchItem? waiting) && queue.Contains(waiting))
            Adopt(context, lease, waiting);
    }
}
