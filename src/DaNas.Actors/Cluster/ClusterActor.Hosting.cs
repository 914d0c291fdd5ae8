using Akka.Actor;
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
    private void Host(string id, ClusterPorts.Taken taken, SearchProtocol.Beginning beginning, Action<string?> answer)
    {
        if (hostEnds)
        {
            answer(HostEnds);
            return;
        }

        if (searches.TryGetValue(id, out Hosted? former))
            Context.Stop(former.Actor);
        Props props = SearchActor.PropsOf(new SearchId(id), beginning,
            new SearchPorts(Self, ports.Dispatcher, ports.Discard), ports.Written);
        IActorRef actor = Context.Watch(Context.ActorOf(props, Invariant($"search-{id}-{taken.Epoch}")));
        searches[id] = new Hosted(id, actor, taken.Started!) { Answer = answer };
        Context.Write(new StateChange(LogEvent.ClusterSearchTaken, "Absent", "Hosted")
        {
            Search = id,
            Cause = Invariant($"epoch {taken.Epoch}")
        });
    }

    private void Told(SearchState state, long sequence)
    {
        if (state.Started is null || !searches.TryGetValue(state.Started.Id.Text, out Hosted? hosted) || hosted.IsOver || !IsOf(hosted))
            return;
        if (hosted.State is null)
            hosted.Missing.UnionWith(state.IsOver ? [] : state.LiveBlobs);
        bool isNew = hosted.State?.Config is null;
        hosted.State = state;
        if (isNew)
            SetBounds(hosted);
        hosted.Events = Math.Max(hosted.Events, sequence);
        hosted.Reply(null); // Now it stands in the journal.
        if (!state.IsOver)
            return;
        ports.Dispatcher.Tell(new DispatchProtocol.Forget(hosted.Id));
        Context.Stop(hosted.Actor);
        hosted.End(); // What is left of it is small, however many searches a term sees.
    }

    private void SetBounds(Hosted hosted)
    {
        if (hosted.State?.Config is { } config)
            ports.Dispatcher.Tell(new DispatchProtocol.SetBounds(hosted.Id, config.Trainers.Attempts, config.Trainers.SilenceSeconds));
    }

    /// <summary>What a search tells comes from its actor, whose supervisor is the one that is hosted here.</summary>
    private bool IsOf(Hosted hosted) => Sender.Path.Parent.Equals(hosted.Actor.Path);

    private void Refused(string reason)
    {
        Context.Write(new StateChange(LogEvent.ClusterSearchRefused, "Hosted",
            "Refused")
        { Cause = $"{Sender.Text()}: {reason}", IsWarning = true });
        foreach (Hosted refused in searches.Values.Where(IsOf))
            refused.Reply(reason);
    }

    /// <summary>
    /// A new leader has no copies yet: what a search stands on is fetched from whoever has it, again until it is here, so that no node's
    /// loss is a loss of work.
    /// </summary>
    private void SecureBlobs(Hosted hosted)
    {
        hosted.Missing.IntersectWith(hosted.State?.LiveBlobs ?? []);
        ValueList<string> from = nodes.Values.Where(n => now - n.Seen < NodeTicks).Select(n => n.Info.Address).ToValueList();
        if (from.Count == 0)
            return;
        foreach (BlobRef blob in hosted.Missing.Where(hosted.Coming.Add).ToList())
        {
            Then(ports.Transfer, new ClusterPorts.Fetch(hosted.Id, blob, from), reply =>
            {
                hosted.Coming.Remove(blob);
                if (reply.Failure is null)
                    hosted.Missing.Remove(blob);
            });
        }
    }

    /// <summary>
    /// A search's actor that gave up is not hosted any more; it is taken over again after a while, by whoever leads then.
    /// </summary>
    private void Gone(IActorRef actor)
    {
        foreach (Hosted lost in searches.Values.Where(s => s.Actor.Equals(actor) && !s.IsOver).ToList())
        {
            searches.Remove(lost.Id);
            lost.Reply("its actor ended; see the log of the leading coordinator for the reason");
            Context.Write(new StateChange(LogEvent.ClusterSearchRefused, "Hosted", "Absent")
            {
                Search = lost.Id,
                Cause = hostEnds
                ? "its actor ended, and this coordinator is shutting down"
                    : "its actor ended; the search is being taken over again",
                IsWarning = true
            });
        }
    }

    private void SendKept()
    {
        foreach (Hosted hosted in searches.Values.Where(h => h.State is not null || h.LastKeeps > 0))
        {
            if (hosted.IsOver)
                hosted.LastKeeps--;
            ClusterProtocol.Keep keep = new(hosted.Id, hosted.Needed);
            ports.Transfer.Run(keep, Self);
            foreach (Known node in nodes.Values)
                node.Later(keep);
        }
    }
}
