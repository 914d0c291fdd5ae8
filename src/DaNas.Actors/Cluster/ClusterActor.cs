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

    /// <summary>Nodes are told so often which blobs are needed, since what was told of their end may have been lost.</summary>
    private const int KeepTicks = 60;

    /// <summary>What could not be taken over is tried again so often.</summary>
    private const int LookTicks = 30;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<string, Known> nodes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Hosted> searches = new(StringComparer.Ordinal);
    private readonly Dictionary<object, Action<IActorContext, PortReply>> waiting = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, Submission> submissions = new(StringComparer.Ordinal);
    private readonly HashSet<string> open = new(StringComparer.Ordinal);
    private readonly HashSet<string> taking = new(StringComparer.Ordinal);
    private readonly HashSet<string> refusedTakes = new(StringComparer.Ordinal);
    private bool lookedForUnfinished;
    private bool knowsDuties;
    private long now;
    private long nextLook;

    public void Started(IActorContext context)
    {
        LoadDuties(context);
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
            case Terminated m:
                Gone(context, m.Actor);
                break;
            case SearchProtocol.Refused m:
                Refused(context, m.Reason);
                break;
            case DispatchProtocol.Busy m:
                busy = m.ByHost;
                break;
            case SearchProtocol.Ended m:
                Told(context, m.State, 0);
                break;
            case ClusterProtocol.Discard m:
                foreach (Known node in nodes.Values)
                    node.Later(m);
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
        nextLook = now + LookTicks;
        foreach (string id in ids.Where(i => !searches.ContainsKey(i)))
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
                string why = (reply.Reply as ClusterPorts.BelongsElsewhere)?.Why ?? reply.Failure ?? "the journal does not answer";
                answer(why);
                if (!searches.ContainsKey(id) && refusedTakes.Add(id))
                    c.Log(new StateChange(LogEvent.ClusterSearchRefused, "Absent", "Refused") { Search = id, Cause = why, IsWarning = true });
            }
            else if (taken.Started is null)
            {
                answer($"there is no search '{id}' in the cluster's journal");
            }
            else
            {
                Host(c, id, taken, new SearchProtocol.Beginning(null, new SearchCommand.Resume(taken.Epoch, taken.Started.NumericsProfile, 0)), answer);
            }
        });
    }

    private void Beat(IActorContext context)
    {
        now++;
        context.StartTimer("tick", Tick, new ClusterTick());
        if (!lookedForUnfinished || now >= nextLook)
            FindUnfinished(context);
        if (!knowsDuties && now % 3 == 0)
            LoadDuties(context);
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.CountBusy());
        foreach (Known gone in nodes.Values.Where(n => now - n.Seen == NodeTicks).ToList())
            context.Log(new StateChange(LogEvent.ClusterNodeLost, gone.Duty.ToString(), "Silent") { Cause = $"{gone.Info.Name} has not announced itself for {NodeTicks} s", IsWarning = true });
        foreach (Hosted hosted in searches.Values.Where(h => h.Missing.Count > 0))
            SecureBlobs(context, hosted);
        if (now % 5 == 0)
            SendRoster(context);
        if (now % KeepTicks == 0)
            SendKept(context);
        if (now % 3 == 0)
        {
            foreach (Submission s in submissions.Values.ToList())
                AskForDescription(context, s);
        }
    }

    private void Then(IActorContext context, string port, object request, Action<IActorContext, PortReply> then)
    {
        waiting[request] = then;
        context.Run(port, request);
    }

    private sealed record ClusterTick;

    private sealed class Known(NodeInfo info, ActorAddress actor)
    {
        private const int MostLater = 100;

        private readonly List<object> later = [];

        public NodeInfo Info { get; } = info;

        public ActorAddress Actor { get; } = actor;

        public NodeDuty Duty { get; set; }

        public long Seen { get; set; }

        /// <summary>Goes with the answer to the node's next sign of life: a leader that dials a node while that starts again may lose the line in one direction (Akka.Remote).</summary>
        public void Later(object message)
        {
            if (message is ClusterProtocol.Roster)
                later.RemoveAll(m => m is ClusterProtocol.Roster); // The newest is enough.
            if (later.Count >= MostLater)
                later.RemoveAt(0); // What was to be discarded is named again by what is kept.
            later.Add(message);
        }

        public void Answer(IActorContext context)
        {
            foreach (object message in later)
                context.Tell(Actor, message);
            later.Clear();
        }
    }
}
