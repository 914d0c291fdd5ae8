using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Domain.Searches;

namespace DaNas.Actors.Cluster;

/// <summary>
/// The leader's reception: takes over what a former leader left, begins searches, knows the nodes, and answers those who ask. In memory
/// only: searches stand in the journal, nodes announce themselves.
/// </summary>
public sealed partial class ClusterActor : LoggedActor, IWithTimers
{
    public const string Name = "cluster";

    private const string HostEnds = "this coordinator is shutting down; try again";

    private const int NodeTicks = 4;

    /// <summary>Nodes are told so often which blobs are needed, since what was told of their end may have been lost.</summary>
    private const int KeepTicks = 60;

    /// <summary>What could not be taken over is tried again so often.</summary>
    private const int LookTicks = 30;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<string, Known> nodes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Hosted> searches = new(StringComparer.Ordinal);
    private readonly Dictionary<object, Action<ClusterPorts.Replied>> waiting = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, Submission> submissions = new(StringComparer.Ordinal);
    private readonly HashSet<string> open = new(StringComparer.Ordinal);
    private readonly HashSet<string> taking = new(StringComparer.Ordinal);
    private readonly HashSet<string> refusedTakes = new(StringComparer.Ordinal);
    private bool lookedForUnfinished;
    private bool hostEnds;
    private bool knowsDuties;
    private long now;
    private long nextLook;

    private readonly string engineVersion;
    private readonly LeaderPorts ports;

    public ClusterActor(string engineVersion, LeaderPorts ports)
    {
        this.engineVersion = engineVersion;
        this.ports = ports;
        Receive<ClusterTick>(_ => Beat());
        Receive<ClusterProtocol.NodeHere>(m => Arrived(m.Node));
        Receive<ClusterPorts.Replied>(m =>
        {
            if (waiting.Remove(m.Request, out Action<ClusterPorts.Replied>? then))
                then(m);
        });
        Receive<SearchProtocol.Stored>(m => Told(m.State, m.Sequence));
        Receive<SearchProtocol.Found>(m => Told(m.State, m.Sequence));
        Receive<SearchProtocol.Ended>(m => Told(m.State, 0));
        Receive<SearchProtocol.Refused>(m => Refused(m.Reason));
        Receive<Terminated>(m => Gone(m.ActorRef));
        Receive<HostMustEnd>(_ => hostEnds = true);
        Receive<DispatchProtocol.Busy>(m => busy = m.ByHost);
        Receive<ClusterProtocol.Discard>(m =>
        {
            foreach (Known node in nodes.Values)
                node.Later(m);
        });
        Receive<ClusterProtocol.Described>(Begin);
        Receive<IAsk>(m => Ask(m, Sender));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(HostMustEnd));
        LoadDuties();
        FindUnfinished();
        Timers.StartPeriodicTimer("tick", ClusterTick.Instance, Tick);
    }

    private void FindUnfinished() => Then(ports.Journal, new ClusterPorts.FindUnfinished(), reply =>
    {
        if (reply.Reply is not IEnumerable<string> ids)
            return; // The journal is away; the next tick asks again.
        lookedForUnfinished = true;
        nextLook = now + LookTicks;
        foreach (string id in ids.Where(i => !searches.ContainsKey(i)))
            TakeOver(id, _ => { });
    });

    /// <summary>Becomes the writer of a search that has begun, and goes on with it.</summary>
    private void TakeOver(string id, Action<string?> answer)
    {
        if (hostEnds) // Else whoever was just fenced would take the search back from its successor.
            answer(HostEnds);
        if (hostEnds || !taking.Add(id))
            return;
        Then(ports.Journal, new ClusterPorts.Take(id), reply =>
        {
            taking.Remove(id);
            if (reply.Reply is not ClusterPorts.Taken taken)
            {
                string why = (reply.Reply as ClusterPorts.BelongsElsewhere)?.Why ?? reply.Failure ?? "the journal does not respond";
                answer(why);
                if (!searches.ContainsKey(id) && refusedTakes.Add(id))
                    Context.Write(new StateChange(LogEvent.ClusterSearchRefused, "Absent", "Refused")
                    {
                        Search = id,
                        Cause = why,
                        IsWarning = true
                    });
            }
            else if (taken.Started is null)
            {
                answer($"there is no search '{id}' in the cluster's journal");
            }
            else
            {
                Host(id, taken, new SearchProtocol.Beginning(
                    null, new SearchCommand.Resume(taken.Epoch, taken.Started.NumericsProfile, 0)), answer);
            }
        });
    }

    private void Beat()
    {
        now++;
        if (!lookedForUnfinished || now >= nextLook)
            FindUnfinished();
        if (!knowsDuties && now % 3 == 0)
            LoadDuties();
        ports.Dispatcher.Tell(new DispatchProtocol.CountBusy());
        foreach (Known gone in nodes.Values.Where(n => now - n.Seen == NodeTicks).ToList())
            Context.Write(new StateChange(LogEvent.ClusterNodeLost, gone.Duty.ToString(),
                "Silent")
            { Cause = $"{gone.Info.Name} has not announced itself for {NodeTicks} s", IsWarning = true });
        foreach (Hosted hosted in searches.Values.Where(h => h.Missing.Count > 0))
            SecureBlobs(hosted);
        if (now % 5 == 0)
        {
            SendRoster();
            InformDispatcher();
        }

        if (now % KeepTicks == 0)
            SendKept();
        if (now % 3 == 0)
        {
            foreach (Submission s in submissions.Values.ToList())
                AskForDescription(s);
        }
    }

    /// <summary>Again and again, since a dispatcher that was restarted knows nothing of it.</summary>
    private void InformDispatcher()
    {
        // Of a node that is gone another one may have the address.
        foreach (Known known in nodes.Values.Where(n => knowsDuties && now - n.Seen < NodeTicks))
            ports.Dispatcher.Tell(new DispatchProtocol.SetHostDuty(known.Actor.Host(Context.System), known.Duty));
        foreach (Hosted hosted in searches.Values.Where(h => !h.IsOver))
            SetBounds(hosted);
    }

    private void Then(ClusterPorts.Port port, object request, Action<ClusterPorts.Replied> then)
    {
        waiting[request] = then;
        port.Run(request, Self);
    }

    public static Props PropsOf(string engineVersion, LeaderPorts ports) => Props.Create(() => new ClusterActor(engineVersion, ports));

    private sealed record ClusterTick
    {
        public static ClusterTick Instance { get; } = new();
    }

    private sealed class Known(NodeInfo info, IActorRef actor)
    {
        private const int MostLater = 100;

        private readonly List<object> later = [];

        public NodeInfo Info { get; } = info;

        public IActorRef Actor { get; set; } = actor;

        public NodeDuty Duty { get; set; }

        public long Seen { get; set; }

        /// <summary>
        /// Goes with the answer to the node's next sign of life: a leader that dials a node while that starts again may lose the line in
        /// one direction (Akka.Remote).
        /// </summary>
        public void Later(object message)
        {
            if (message is ClusterProtocol.Roster)
                later.RemoveAll(m => m is ClusterProtocol.Roster); // The newest is enough.
            if (later.Count >= MostLater)
                later.RemoveAt(0); // What was to be discarded is named again by what is kept.
            later.Add(message);
        }

        public void Answer()
        {
            foreach (object message in later)
                Actor.Tell(message);
            later.Clear();
        }
    }
}
