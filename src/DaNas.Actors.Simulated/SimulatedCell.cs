using DaNas.Actors.Journals;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Simulated;

/// <summary>One actor's life in a simulated process: mailbox, incarnations, children, watchers, supervision with back-off.</summary>
internal sealed class SimulatedCell(SimulatedNode node, ActorAddress self, SimulatedCell? parent, Func<IActor> create)
{
    private const int MaximumRestarts = 10;

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);

    private readonly Queue<SimulatedMail> mailbox = new();
    private readonly Dictionary<string, SimulatedCell> children = new(StringComparer.Ordinal);
    private readonly HashSet<SimulatedCell> watching = [];
    private readonly HashSet<SimulatedCell> watchers = [];
    private readonly List<TimeSpan> restarts = [];
    private SimulatedContext? incarnation;
    private int outages;
    private bool turnPlanned;
    private bool ended;

    public ActorAddress Self => self;

    public SimulatedCell? Parent => parent;

    public SimulatedNode Node => node;

    public void Start() => node.After(Jitter(), Incarnate);

    public void Post(SimulatedMail mail)
    {
        if (ended)
            return;
        if (!mail.IsSystem && mailbox.Count >= node.World.MailboxCapacity)
        {
            if (node.World.Overflowed++ == 0)
                Log(new StateChange(LogEvent.MailboxOverflow, "Full", "Dropping") { Cause = $"more than {node.World.MailboxCapacity} messages wait", IsWarning = true });
            return;
        }

        mailbox.Enqueue(mail);
        PlanTurn();
    }

    public void Send(ActorAddress receiver, object message)
    {
        SimulatedNode? target = receiver.Path.StartsWith("//", StringComparison.Ordinal) ? node.World.NodeOf(receiver) : node;
        SimulatedMail mail = new(message, self);
        if (target == node)
            node.Deliver(receiver.Path, mail);
        else if (target is not null)
            node.World.Network.Send(node, target, receiver.Path, mail);
    }

    public ActorAddress Spawn(string name, Func<IActor> make)
    {
        SimulatedCell child = new(node, new ActorAddress($"{self.Path}/{name}"), this, make);
        if (!children.TryAdd(name, child))
            throw new InvalidOperationException($"the name {child.Self} is in use: its actor has not ended yet");
        node.Add(child);
        return child.Self;
    }

    public bool HasChild(string name) => children.ContainsKey(name);

    public void StopChild(string name)
    {
        if (children.TryGetValue(name, out SimulatedCell? child))
            node.After(Jitter(), child.End);
    }

    public void Watch(ActorAddress other)
    {
        SimulatedNode? home = node.World.NodeOf(other);
        SimulatedCell? cell = home?.Find(other.Path);
        if (cell is null)
        {
            node.After(home == node ? Jitter() : node.World.Between(0.5, 6), () => Post(new SimulatedMail(new Terminated(other), null, true)));
            return;
        }

        watching.Add(cell);
        cell.watchers.Add(this);
    }

    /// <summary>Whether the end is one that this incarnation still waits for; each is told once.</summary>
    public bool Awaits(SimulatedCell other) => watching.Remove(other);

    public void Log(StateChange change) => node.World.Log.Write(self, node.Now, change);

    /// <summary>After a turn: what comes next, or nothing while events are being stored.</summary>
    public void PlanTurn()
    {
        if (turnPlanned || ended || incarnation is not { IsReady: true } || mailbox.Count == 0)
            return;
        turnPlanned = true;
        node.After(Jitter(), Turn);
    }

    /// <summary>Something was stored: an outage is over.</summary>
    public void WasStored()
    {
        if (outages > 0)
            Log(new StateChange(LogEvent.JournalAvailable, "Paused", "Running") { IsWarning = true });
        outages = 0;
    }

    /// <summary>The supervisor's decision over a fault: the failing message is gone, the mailbox stays.</summary>
    public void Fail(Exception fault)
    {
        Abandon();
        switch (fault)
        {
            case JournalException { Fault: JournalFault.Fenced or JournalFault.Damaged or JournalFault.Foreign }:
                Log(new StateChange(LogEvent.ActorFailed, "Running", "Ended") { Cause = fault.Message, IsWarning = true });
                node.Die(fault.Message);
                return;
            case JournalException:
                if (outages++ == 0)
                    Log(new StateChange(LogEvent.JournalUnavailable, "Running", "Paused") { Cause = fault.Message, IsWarning = true });
                node.After(Backoff(outages), Incarnate);
                return;
        }

        restarts.RemoveAll(r => node.World.Elapsed - r > TimeSpan.FromMinutes(1));
        restarts.Add(node.World.Elapsed);
        if (restarts.Count > MaximumRestarts)
        {
            Log(new StateChange(LogEvent.ActorFailed, "Running", "Ended") { Cause = fault.Message, IsWarning = true });
            End();
            if (parent is null)
                node.Die($"{self} failed: {fault.Message}");
            return;
        }

        Log(new StateChange(LogEvent.ActorRestarted, "Faulted", "Restarting") { Attempt = restarts.Count, Cause = $"{fault.GetType().Name}: {fault.Message}", IsWarning = true });
        node.After(Backoff(restarts.Count), Incarnate);
    }

    /// <summary>Ends this actor, its children first; watchers are told.</summary>
    public void End()
    {
        if (ended)
            return;
        Abandon();
        ended = true;
        node.Remove(this);
        parent?.children.Remove(self.Name);
        foreach (SimulatedCell watcher in watchers)
            watcher.TellEnd(this, node == watcher.Node ? Jitter() : node.World.Between(0.001, 0.01));
        Log(new StateChange(LogEvent.ActorStopped, "Running", "Stopped"));
    }

    /// <summary>The process is gone: nobody here can tell anybody; those elsewhere find out after a while.</summary>
    public void Vanish(TimeSpan detection)
    {
        ended = true;
        incarnation?.Abandon();
        incarnation = null;
        foreach (SimulatedCell watcher in watchers.Where(w => w.Node != node))
            watcher.TellEnd(this, detection);
    }

    /// <summary>The process does not answer: those elsewhere take it for dead.</summary>
    public void Suspect()
    {
        foreach (SimulatedCell watcher in watchers.Where(w => w.Node != node))
            watcher.TellEnd(this, TimeSpan.Zero);
        watchers.RemoveWhere(w => w.Node != node);
    }

    private void TellEnd(SimulatedCell other, TimeSpan delay) =>
        node.After(delay, () => Post(new SimulatedMail(new Terminated(other.Self), null, true, other)));

    private void Incarnate()
    {
        if (ended)
            return;
#pragma warning disable CA1031 // Whatever an actor throws is its supervisor's business.
        try
        {
            incarnation = new SimulatedContext(this, create());
            incarnation.Begin();
        }
        catch (Exception e)
        {
            Fail(e);
            return;
        }
#pragma warning restore CA1031
        PlanTurn();
    }

    private void Turn()
    {
        turnPlanned = false;
        if (ended || incarnation is not { IsReady: true } || !mailbox.TryDequeue(out SimulatedMail? mail))
            return;
        incarnation.Handle(mail);
        PlanTurn();
    }

    private void Abandon()
    {
        incarnation?.Abandon();
        incarnation = null;
        turnPlanned = false;
        foreach (SimulatedCell child in children.Values.ToList())
            child.End();
        watching.RemoveWhere(c => c.Parent == this);
    }

    private static TimeSpan Backoff(int times) => TimeSpan.FromTicks(Math.Min(LongestBackoff.Ticks, FirstBackoff.Ticks << Math.Min(times - 1, 20)));

    /// <summary>Up to 50 microseconds: which actor has its turn first is a matter of the seed.</summary>
    private TimeSpan Jitter() => TimeSpan.FromTicks(node.World.Random.NextInt(500));
}
