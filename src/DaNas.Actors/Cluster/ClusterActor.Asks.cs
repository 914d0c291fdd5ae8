using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>What the reception answers.</summary>
public sealed partial class ClusterActor
{
    private void Ask(IActorContext context, IAsk message, ActorAddress from)
    {
        switch (message)
        {
            case ClusterProtocol.SubmitSearch m:
                if (SearchNames.AreProper(m.Id))
                    Submit(context, m, from);
                else
                    context.Tell(from, new ClusterProtocol.Answer(m.Ask, $"'{m.Id}' is no name for a search: letters, digits, '-', '_' and '.', at most 100"));
                break;
            case ClusterProtocol.ResumeSearch m:
                if (!SearchNames.AreProper(m.Id))
                    context.Tell(from, new ClusterProtocol.Answer(m.Ask, $"there is no search '{m.Id}'"));
                else if (searches.TryGetValue(m.Id, out Hosted? hosted) && !hosted.IsOver)
                    hosted.AnswerWhenStored(failure => context.Tell(from, new ClusterProtocol.Answer(m.Ask, failure)));
                else
                    TakeOver(context, m.Id, failure => context.Tell(from, new ClusterProtocol.Answer(m.Ask, failure)));
                break;
            case ClusterProtocol.OpenSearch m when !lookedForUnfinished || taking.Contains(m.Search):
            case ClusterProtocol.ListSearches when !lookedForUnfinished:
                break; // A new leader that knows its searches not yet has no answer, rather than a wrong one; it is asked again.
            case ClusterProtocol.OpenSearch m:
                SearchEvent.SearchStarted? started = searches.GetValueOrDefault(m.Search)?.Started;
                context.Tell(from, started is null
                    ? new ClusterProtocol.Opened(m.Ask, null, null, null, null, $"no search '{m.Search}' runs here")
                    : new ClusterProtocol.Opened(m.Ask, searches[m.Search].Configuration, started.Data, started.NumericsProfile, started.EngineVersion, null));
                break;
            case ClusterProtocol.Replicate m when nodes.TryGetValue(m.Node, out Known? node) && open.Add(m.Ask):
                Then(context, ClusterPorts.Transfer, new ClusterPorts.Fetch(m.Search, m.Blob, [node.Info.Address]), (c, reply) =>
                {
                    open.Remove(m.Ask);
                    c.Tell(from, new ClusterProtocol.Answer(m.Ask, reply.Failure));
                });
                break;
            case ClusterProtocol.Follow m when open.Add(m.Ask):
                Then(context, ClusterPorts.Journal, new ClusterPorts.ReadAfter(m.Search, m.After), (c, reply) =>
                {
                    open.Remove(m.Ask);
                    c.Tell(from, new ClusterProtocol.Followed(m.Ask, (reply.Reply as IEnumerable<FollowedEvent> ?? []).ToValueList(), reply.Failure));
                });
                break;
            case ClusterProtocol.SetDuty m when open.Add(m.Ask): // One that is told again must not be stored after a later order.
                Order(context, m, from);
                break;
            case ClusterProtocol.ListNodes m:
                context.Tell(from, new ClusterProtocol.NodeList(m.Ask, Nodes(), null));
                break;
            case ClusterProtocol.ListSearches m:
                context.Tell(from, new ClusterProtocol.SearchList(m.Ask, searches.Values.Select(s => new SearchStatus(s.Id, s.Phase, s.Events)).ToValueList()));
                break;
        }
    }
}
