using Akka.Actor;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>What the reception answers.</summary>
public sealed partial class ClusterActor
{
    private void Ask(IAsk message, IActorRef from)
    {
        switch (message)
        {
            case ClusterProtocol.SubmitSearch m:
                if (SearchNames.AreProper(m.Id))
                    Submit(m, from);
                else
                    from.Tell(new ClusterProtocol.Answer(m.Ask,
                        $"'{m.Id}' is not a valid search name: use letters, digits, '-', '_' and '.', at most 100 characters"));
                break;
            case ClusterProtocol.ResumeSearch m:
                if (!SearchNames.AreProper(m.Id))
                    from.Tell(new ClusterProtocol.Answer(m.Ask, $"there is no search '{m.Id}'"));
                else if (searches.TryGetValue(m.Id, out Hosted? hosted) && !hosted.IsOver)
                    hosted.AnswerWhenStored(failure => from.Tell(new ClusterProtocol.Answer(m.Ask, failure)));
                else
                    TakeOver(m.Id, failure => from.Tell(new ClusterProtocol.Answer(m.Ask, failure)));
                break;
            case ClusterProtocol.OpenSearch m when !lookedForUnfinished || taking.Contains(m.Search):
            case ClusterProtocol.ListSearches when !lookedForUnfinished:
                break; // A new leader that knows its searches not yet has no answer, rather than a wrong one; it is asked again.
            case ClusterProtocol.OpenSearch m:
                SearchEvent.SearchStarted? started = searches.GetValueOrDefault(m.Search)?.Started;
                from.Tell(started is null
                    ? new ClusterProtocol.Opened(m.Ask, null, null, null, null, $"search '{m.Search}' is not running here")
                    : new ClusterProtocol.Opened(m.Ask, searches[m.Search].Configuration, started.Data, started.NumericsProfile,
                        started.EngineVersion, null));
                break;
            case ClusterProtocol.Replicate m when nodes.TryGetValue(m.Node, out Known? node) && open.Add(m.Ask):
                Then(ports.Transfer, new ClusterPorts.Fetch(m.Search, m.Blob, [node.Info.Address]), reply =>
                {
                    open.Remove(m.Ask);
                    from.Tell(new ClusterProtocol.Answer(m.Ask, reply.Failure));
                });
                break;
            case ClusterProtocol.Follow m when open.Add(m.Ask):
                Then(ports.Journal, new ClusterPorts.ReadAfter(m.Search, m.After), reply =>
                {
                    open.Remove(m.Ask);
                    from.Tell(new ClusterProtocol.Followed(m.Ask, (reply.Reply as IEnumerable<FollowedEvent> ?? [])
                        .ToValueList(), reply.Failure));
                });
                break;
            case ClusterProtocol.SetDuty m when open.Add(m.Ask): // One that is told again must not be stored after a later order.
                Order(m, from);
                break;
            case ClusterProtocol.ListNodes m:
                from.Tell(new ClusterProtocol.NodeList(m.Ask, Nodes(), null));
                break;
            case ClusterProtocol.ListSearches m:
                from.Tell(new ClusterProtocol.SearchList(m.Ask,
                    searches.Values.Select(s => new SearchStatus(s.Id, s.Phase, s.Events)).ToValueList()));
                break;
        }
    }
}
