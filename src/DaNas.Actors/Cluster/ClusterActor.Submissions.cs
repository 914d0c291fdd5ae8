using DaNas.Actors.Searches;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>How a search begins: described by a node that can run it, taken in the journal, hosted; answered when its beginning is stored.</summary>
public sealed partial class ClusterActor
{
    private void Submit(IActorContext context, ClusterProtocol.SubmitSearch m, ActorAddress from)
    {
        if (searches.TryGetValue(m.Id, out Hosted? hosted))
        {
            context.Tell(from, new ClusterProtocol.Answer(m.Ask, hosted.Configuration == m.Configuration ? null : $"search '{m.Id}' exists already, with another configuration; choose another --id"));
            return;
        }

        if (submissions.TryGetValue(m.Id, out Submission? known))
        {
            if (known.Asked.Configuration != m.Configuration)
                context.Tell(from, new ClusterProtocol.Answer(m.Ask, $"search '{m.Id}' is just being begun, with another configuration; choose another --id"));
            else
                submissions[m.Id] = new Submission(m, from) { Tries = known.Tries };
            return; // A description was asked for, and is asked for again by the tick.
        }

        submissions[m.Id] = new Submission(m, from);
        AskForDescription(context, submissions[m.Id]);
    }

    /// <summary>What a search stands on is measured where it will run: on a node that can be given work.</summary>
    private void AskForDescription(IActorContext context, Submission submission)
    {
        Known[] able = [.. nodes.Values.Where(n => n.Duty == NodeDuty.Active && now - n.Seen < NodeTicks)];
        if (able.Length > 0)
            context.Tell(able[submission.Tries++ % able.Length].Actor, new ClusterProtocol.Describe($"describe {submission.Asked.Id}", submission.Asked.Configuration));
    }

    private void Begin(IActorContext context, ClusterProtocol.Described m)
    {
        string id = m.Ask[(m.Ask.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        if (!submissions.TryGetValue(id, out Submission? s))
            return;
        if (m.Failure is not null || m.Profile is null || m.Data is null)
        {
            submissions.Remove(id);
            context.Tell(s.From, new ClusterProtocol.Answer(s.Asked.Ask, m.Failure ?? "the node gave no description"));
            return;
        }

        if (searches.ContainsKey(id) || !taking.Add(id))
            return;
        Then(context, ClusterPorts.Journal, new ClusterPorts.Take(id), (c, reply) =>
        {
            taking.Remove(id);
            if (reply.Reply is not ClusterPorts.Taken taken)
                return; // The journal is away; the submission is tried again.
            submissions.Remove(id, out Submission? newest);
            s = newest ?? s;
            if (taken.Started is not null)
            {
                c.Tell(s.From, new ClusterProtocol.Answer(s.Asked.Ask, $"search '{id}' exists already; go on with 'danas resume {id} --cluster', or choose another --id"));
                return;
            }

            SearchConfig config = SearchConfig.FromCanonicalText(s.Asked.Configuration);
            SearchEvent.SearchStarted first = new(new SearchId(id), config.Text, config.Hash, m.Data, m.Profile, engineVersion);
            Host(c, id, taken with { Started = first }, new SearchProtocol.Beginning(new SearchCommand.Start(first), new SearchCommand.Resume(taken.Epoch, m.Profile, 0)), failure => c.Tell(s.From, new ClusterProtocol.Answer(s.Asked.Ask, failure)));
        });
    }

    private sealed class Submission(ClusterProtocol.SubmitSearch asked, ActorAddress from)
    {
        public ClusterProtocol.SubmitSearch Asked { get; } = asked;

        public ActorAddress From { get; } = from;

        public int Tries { get; set; }
    }
}
