using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Cluster;

/// <summary>
/// The leader's reception: takes over what a former leader left, begins searches, knows the nodes, and answers those who ask. In memory
/// only: searches stand in the journal, nodes announce themselves.
/// </summary>
public sealed partial class ClusterActor(string engineVersion) : IActor
{
    private const int NodeTicks = 4;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<string, Known> nodes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Hosted> searches = new(StringComparer.Ordinal);
    private readonly Dictionary<object, Action<IActorContext, PortReply>> waiting = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, Submission> submissions = new(StringComparer.Ordinal);
    private readonly HashSet<string> taking = new(StringComparer.Ordinal);
    private bool lookedForUnfinished;
    private long now;

    public void Started(IActorContext context)
    {
        FindUnfinished(context);
        context.StartTimer("tick", Tick, new ClusterTick());
    }

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case ClusterTick:
                Beat(context);
                break;
            case ClusterProtocol.NodeHere m:
                Arrived(context, m.Node);
                break;
            case PortReply m when waiting.Remove(m.Request, out Action<IActorContext, PortReply>? then):
                then(context, m);
                break;
            case SearchProtocol.Stored m:
                Told(context, m.State, m.Sequence);
                break;
            case SearchProtocol.Ended m:
                Told(context, m.State, 0);
                break;
            case ClusterProtocol.Discard m:
                foreach (Known node in nodes.Values)
                    context.Tell(node.Actor, m);
                break;
            case ClusterProtocol.Described m:
                Begin(context, m);
                break;
            case IAsk m when context.Sender is { } from:
                Ask(context, m, from);
                break;
        }
    }

    private void FindUnfinished(IActorContext context) => Then(context, ClusterPorts.Journal, new ClusterPorts.FindUnfinished(), (c, reply) =>
    {
        if (reply.Reply is not IEnumerable<string> ids)
            return; // The journal is away; the next tick asks again.
        lookedForUnfinished = true;
        foreach (string id in ids)
            TakeOver(c, id, _ => { });
    });

    /// <summary>Becomes the writer of a search that has begun, and goes on with it.</summary>
    private void TakeOver(IActorContext context, string id, Action<string?> answer)
    {
        if (!taking.Add(id))
            return;
        Then(context, ClusterPorts.Journal, new ClusterPorts.Take(id), (c, reply) =>
        {
            taking.Remove(id);
            if (reply.Reply is not ClusterPorts.Taken taken)
            {
                answer(reply.Failure);
                if (!searches.ContainsKey(id))
                    lookedForUnfinished = false;
            }
            else if (taken.Started is null)
            {
                answer($"there is no search '{id}' in the cluster's journal");
            }
            else
            {
                Host(c, id, taken, new SearchProtocol.Beginning(null, new SearchCommand.Resume(taken.Epoch, taken.Started.NumericsProfile, 0)));
                answer(null);
            }
        });
    }

    private void Submit(IActorContext context, ClusterProtocol.SubmitSearch m, ActorAddress from)
    {
        if (searches.TryGetValue(m.Id, out Hosted? hosted))
        {
            context.Tell(from, new ClusterProtocol.Answer(m.Ask, hosted.Configuration == m.Configuration ? null : $"search '{m.Id}' exists already, with another configuration; choose another --id"));
            return;
        }

        submissions[m.Id] = new Submission(m, from);
        AskForDescription(context, submissions[m.Id]);
    }

    /// <summary>What a search stands on is measured where it will run: on a node that can be given work.</summary>
    private void AskForDescription(IActorContext context, Submission submission)
    {
        Known[] able = [.. nodes.Values.Where(n => n.Duty == NodeDuty.Active)];
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

        if (!taking.Add(id))
            return;
        Then(context, ClusterPorts.Journal, new ClusterPorts.Take(id), (c, reply) =>
        {
            taking.Remove(id);
            if (reply.Reply is not ClusterPorts.Taken taken)
                return; // The journal is away; the submission is tried again.
            submissions.Remove(id);
            if (taken.Started is not null)
            {
                c.Tell(s.From, new ClusterProtocol.Answer(s.Asked.Ask, $"search '{id}' exists already; go on with 'danas resume {id} --cluster', or choose another --id"));
                return;
            }

            SearchConfig config = SearchConfig.FromCanonicalText(s.Asked.Configuration);
            SearchEvent.SearchStarted first = new(new SearchId(id), config.Text, config.Hash, m.Data, m.Profile, engineVersion);
            Host(c, id, taken with { Started = first }, new SearchProtocol.Beginning(new SearchCommand.Start(first), new SearchCommand.Resume(taken.Epoch, m.Profile, 0)));
            c.Tell(s.From, new ClusterProtocol.Answer(s.Asked.Ask, null));
        });
    }

    /// <summary>A search that failed and is resumed gets another actor; the epoch in the name keeps the two apart.</summary>
    private void Host(IActorContext context, string id, ClusterPorts.Taken taken, SearchProtocol.Beginning beginning)
    {
        if (searches.TryGetValue(id, out Hosted? former))
            context.StopChild(former.Actor.Name);
        ActorAddress self = context.Self;
        ActorAddress actor = context.Spawn(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"search-{id}-{taken.Epoch}"), () => new SearchActor(new SearchId(id), beginning, self));
        searches[id] = new Hosted(id, actor, taken.Started!);
        context.Log(new StateChange(LogEvent.ClusterSearchTaken, "Absent", "Hosted") { Search = id, Cause = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"epoch {taken.Epoch}") });
    }

    private void Told(IActorContext context, SearchState state, long sequence)
    {
        if (state.Started is null || !searches.TryGetValue(state.Started.Id.Text, out Hosted? hosted))
            return;
        hosted.State = state;
        hosted.Events = Math.Max(hosted.Events, sequence);
        if (state.IsOver)
            context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.Forget(hosted.Id));
    }

    private void Arrived(IActorContext context, NodeInfo info)
    {
        ActorAddress actor = context.Sender!;
        if (!nodes.TryGetValue(info.Name, out Known? known) || known.Actor != actor)
        {
            context.Log(new StateChange(LogEvent.ClusterNodeJoined, "Absent", "Active") { Cause = $"{info.Name} at {info.Address}, {info.Trainers} trainer(s), {info.Engine}" });
            nodes[info.Name] = known = new Known(info, actor) { Duty = known?.Duty ?? NodeDuty.Active };
            if (known.Duty != NodeDuty.Active)
                SetDuty(context, known, known.Duty);
            SendRoster(context);
            foreach (Submission s in submissions.Values)
                AskForDescription(context, s);
        }

        known.Seen = now;
    }

    private static void SetDuty(IActorContext context, Known node, NodeDuty duty)
    {
        context.Log(new StateChange(LogEvent.ClusterNodeDuty, node.Duty.ToString(), duty.ToString()) { Cause = node.Info.Name, IsWarning = duty == NodeDuty.Quarantined });
        node.Duty = duty;
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.SetHostDuty(node.Actor.Host, duty));
    }

    private void Beat(IActorContext context)
    {
        now++;
        context.StartTimer("tick", Tick, new ClusterTick());
        if (!lookedForUnfinished)
            FindUnfinished(context);
        foreach (Known gone in nodes.Values.Where(n => now - n.Seen == NodeTicks).ToList())
            context.Log(new StateChange(LogEvent.ClusterNodeLost, gone.Duty.ToString(), "Silent") { Cause = $"{gone.Info.Name} has not announced itself for {NodeTicks} s", IsWarning = true });
        if (now % 5 == 0)
            SendRoster(context);
        if (now % 3 == 0)
        {
            foreach (Submission s in submissions.Values)
                AskForDescription(context, s);
        }
    }

    private void SendRoster(IActorContext context)
    {
        ClusterProtocol.Roster roster = new(nodes.Values.Where(n => now - n.Seen < NodeTicks).Select(n => n.Info).ToValueList());
        context.Run(ClusterPorts.Transfer, roster);
        foreach (Known node in nodes.Values)
            context.Tell(node.Actor, roster);
    }

    private ValueList<NodeStatus> Nodes() => nodes.Values.Select(n => new NodeStatus(n.Info, n.Duty, 0, now - n.Seen < NodeTicks)).ToValueList();

    private void Then(IActorContext context, string port, object request, Action<IActorContext, PortReply> then)
    {
        waiting[request] = then;
        context.Run(port, request);
    }

    private sealed record ClusterTick;

    private sealed class Known(NodeInfo info, ActorAddress actor)
    {
        public NodeInfo Info { get; } = info;

        public ActorAddress Actor { get; } = actor;

        public NodeDuty Duty { get; set; }

        public long Seen { get; set; }
    }

    private sealed class Hosted(string id, ActorAddress actor, SearchEvent.SearchStarted started)
    {
        public string Id { get; } = id;

        public ActorAddress Actor { get; } = actor;

        public SearchEvent.SearchStarted Started { get; } = started;

        public SearchState? State { get; set; }

        public long Events { get; set; }

        /// <summary>The configuration in force.</summary>
        public string Configuration => State?.Config?.Text ?? Started.Configuration;
    }

    private sealed class Submission(ClusterProtocol.SubmitSearch asked, ActorAddress from)
    {
        public ClusterProtocol.SubmitSearch Asked { get; } = asked;

        public ActorAddress From { get; } = from;

        public int Tries { get; set; }
    }
}
