using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>The searches that this leader writes: their actors, what they tell, and their blobs.</summary>
public sealed partial class ClusterActor
{
    /// <summary>A search that failed and is resumed gets another actor; the epoch in the name keeps the two apart.</summary>
    private void Host(IActorContext context, string id, ClusterPorts.Taken taken, SearchProtocol.Beginning beginning, Action<string?> answer)
    {
        if (searches.TryGetValue(id, out Hosted? former))
            context.StopChild(former.Actor.Name);
        ActorAddress self = context.Self;
        ActorAddress actor = context.Spawn(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"search-{id}-{taken.Epoch}"), () => new SearchActor(new SearchId(id), beginning, self));
        context.Watch(actor);
        searches[id] = new Hosted(id, actor, taken.Started!) { Answer = answer };
        context.Log(new StateChange(LogEvent.ClusterSearchTaken, "Absent", "Hosted") { Search = id, Cause = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"epoch {taken.Epoch}") });
    }

    private void Told(IActorContext context, SearchState state, long sequence)
    {
        if (state.Started is null || !searches.TryGetValue(state.Started.Id.Text, out Hosted? hosted) || hosted.IsOver || hosted.Actor != context.Sender)
            return;
        if (hosted.State is null)
            hosted.Missing.UnionWith(state.IsOver ? [] : state.LiveBlobs);
        if (hosted.State?.Config is null && state.Config is { } config)
            context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.SetBounds(hosted.Id, config.Trainers.Attempts, config.Trainers.SilenceSeconds));
        hosted.State = state;
        hosted.Events = Math.Max(hosted.Events, sequence);
        hosted.Reply(null); // Now it stands in the journal.
        if (!state.IsOver)
            return;
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.Forget(hosted.Id));
        context.StopChild(hosted.Actor.Name);
        hosted.End(); // What is left of it is small, however many searches a term sees.
    }

    private void Refused(IActorContext context, string reason)
    {
        context.Log(new StateChange(LogEvent.ClusterSearchRefused, "Hosted", "Refused") { Cause = $"{context.Sender}: {reason}", IsWarning = true });
        foreach (Hosted refused in searches.Values.Where(s => s.Actor == context.Sender))
            refused.Reply(reason);
    }

    /// <summary>A new leader has no copies yet: what a search stands on is fetched from whoever has it, again until it is here, so that no node's loss is a loss of work.</summary>
    private void SecureBlobs(IActorContext context, Hosted hosted)
    {
        hosted.Missing.IntersectWith(hosted.State?.LiveBlobs ?? []);
        ValueList<string> from = nodes.Values.Where(n => now - n.Seen < NodeTicks).Select(n => n.Info.Address).ToValueList();
        if (from.Count == 0)
            return;
        foreach (BlobRef blob in hosted.Missing.Where(hosted.Coming.Add).ToList())
        {
            Then(context, ClusterPorts.Transfer, new ClusterPorts.Fetch(hosted.Id, blob, from), (_, reply) =>
            {
                hosted.Coming.Remove(blob);
                if (reply.Failure is null)
                    hosted.Missing.Remove(blob);
            });
        }
    }

    /// <summary>A search's actor that gave up is not hosted any more; it is taken over again after a while.</summary>
    private void Gone(IActorContext context, ActorAddress actor)
    {
        foreach (Hosted lost in searches.Values.Where(s => s.Actor == actor && !s.IsOver).ToList())
        {
            searches.Remove(lost.Id);
            lost.Reply("its actor ended; the log of the leading coordinator says why");
            context.Log(new StateChange(LogEvent.ClusterSearchRefused, "Hosted", "Absent") { Search = lost.Id, Cause = "its actor ended; it is taken over again", IsWarning = true });
        }
    }

    private void SendKept(IActorContext context)
    {
        foreach (Hosted hosted in searches.Values.Where(h => h.State is not null || h.LastKeeps > 0))
        {
            if (hosted.IsOver)
                hosted.LastKeeps--;
            ClusterProtocol.Keep keep = new(hosted.Id, hosted.Needed);
            context.Run(ClusterPorts.Transfer, keep);
            foreach (Known node in nodes.Values)
                node.Later(keep);
        }
    }
}
