using Akka.Actor;
using DaNas.Actors.Searches;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>
/// How a search begins: described by a node that can run it, taken in the journal, hosted; answered when its beginning is stored.
/// </summary>
public sealed partial class ClusterActor
{
    private void Submit(ClusterProtocol.SubmitSearch m, IActorRef from)
    {
        if (searches.TryGetValue(m.Id, out Hosted? hosted))
        {
            if (hosted.Configuration != m.Configuration)
                from.Tell(new ClusterProtocol.Answer(m.Ask, $"search '{m.Id}' already exists with a different configuration; " +
                    $"choose another --id"));
            else
                hosted.AnswerWhenStored(failure => from.Tell(new ClusterProtocol.Answer(m.Ask, failure)));
            return;
        }

        if (submissions.TryGetValue(m.Id, out Submission? known))
        {
            if (known.Asked.Configuration != m.Configuration)
                from.Tell(new ClusterProtocol.Answer(m.Ask, $"search '{m.Id}' is already being started with a different configuration; " +
                    $"choose another --id"));
            else
                known.AskedAgain(m, from);
            return; // A description was asked for, and is asked for again by the tick.
        }

        submissions[m.Id] = new Submission(m, from);
        AskForDescription(submissions[m.Id]);
    }

    /// <summary>What a search stands on is measured where it will run: on a node that can be given work.</summary>
    private void AskForDescription(Submission submission)
    {
        Known[] able = [.. nodes.Values.Where(n => n.Duty == NodeDuty.Active && now - n.Seen < NodeTicks)];
        Known[] left = [.. able.Where(n => !submission.Refusals.ContainsKey(n.Info.Name))];
        if (left.Length > 0)
        {
            left[submission.Tries++ % left.Length].Actor.Tell(
                new ClusterProtocol.Describe($"describe {submission.Asked.Id}", submission.Asked.Configuration));
        }
        else if (able.Length > 0)
        {
            submissions.Remove(submission.Asked.Id); // Whoever could run it has said why not.
            submission.From.Tell(new ClusterProtocol.Answer(
                submission.Asked.Ask, string.Join("; ", submission.Refusals.Values.Distinct())));
        }
    }

    private void Begin(ClusterProtocol.Described m)
    {
        string id = m.Ask[(m.Ask.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        if (!submissions.TryGetValue(id, out Submission? s))
            return;
        if (m.Failure is not null || m.Profile is null || m.Data is null)
        {
            string node = nodes.Values.FirstOrDefault(n => n.Actor.Equals(Sender))?.Info.Name ?? string.Empty;
            s.Refusals[node] = m.Failure ?? "the node gave no description";
            AskForDescription(s);
            return;
        }

        if (searches.ContainsKey(id))
        {
            submissions.Remove(id); // It was taken over meanwhile.
            Submit(s.Asked, s.From);
            return;
        }

        if (hostEnds || !taking.Add(id))
            return;
        Then(ports.Journal, new ClusterPorts.Take(id), reply =>
        {
            taking.Remove(id);
            if (reply.Reply is ClusterPorts.BelongsElsewhere elsewhere)
            {
                submissions.Remove(id);
                s.From.Tell(new ClusterProtocol.Answer(s.Asked.Ask, elsewhere.Why));
                return;
            }

            if (reply.Reply is not ClusterPorts.Taken taken)
                return; // The journal is away; the submission is tried again.
            submissions.Remove(id);
            if (taken.Started is not null)
            {
                s.From.Tell(new ClusterProtocol.Answer(s.Asked.Ask,
                    $"search '{id}' already exists; resume it with 'danas resume {id} --cluster', or choose another --id"));
                return;
            }

            SearchConfig config = SearchConfig.FromCanonicalText(s.Asked.Configuration);
            SearchEvent.SearchStarted first = new(new SearchId(id), config.Text, config.Hash, m.Data, m.Profile, engineVersion);
            Host(id, taken with { Started = first }, new SearchProtocol.Beginning(new SearchCommand.Start(first), new SearchCommand.Resume(
                taken.Epoch, m.Profile, 0)), failure => s.From.Tell(new ClusterProtocol.Answer(s.Asked.Ask, failure)));
        });
    }

    private sealed class Submission(ClusterProtocol.SubmitSearch asked, IActorRef from)
    {
        public ClusterProtocol.SubmitSearch Asked { get; private set; } = asked;

        public IActorRef From { get; private set; } = from;

        public int Tries { get; set; }

        /// <summary>Nodes that cannot run it, and why.</summary>
        public SortedDictionary<string, string> Refusals { get; } = new(StringComparer.Ordinal);

        public void AskedAgain(ClusterProtocol.SubmitSearch asked, IActorRef from) => (Asked, From) = (asked, from);
    }
}
