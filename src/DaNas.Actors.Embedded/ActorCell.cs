using System.Collections.Concurrent;
using System.Threading.Channels;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Embedded;

/// <summary>One actor's life: incarnations, mailbox, children, watchers. Its loop is the only thread of control in the actor.</summary>
internal sealed class ActorCell
{
    private readonly EmbeddedHost host;
    private readonly Func<IActor> create;
    private readonly Channel<Mail> mailbox = Channel.CreateUnbounded<Mail>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<ActorAddress, bool> watchers = [];
    private readonly ConcurrentDictionary<ActorAddress, bool> elsewhere = [];
    private readonly ConcurrentDictionary<string, ActorCell> children = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock ending = new();

    // Watched cells, not addresses: after a restart the end of an old child must not be taken for that of a new one of its name.
    private readonly HashSet<ActorCell> watching = [];
    private int outages;
    private int waiting;
    private long overflowed;
    private bool ended;
    private volatile bool stopRequested;

    public ActorCell(EmbeddedHost host, ActorAddress self, ActorCell? parent, Func<IActor> create)
    {
        this.host = host;
        this.create = create;
        Self = self;
        Parent = parent;
    }

    public ActorAddress Self { get; }

    public ActorCell? Parent { get; }

    public Task Completion => completion.Task;

    public long Overflowed => Interlocked.Read(ref overflowed);

    public EmbeddedHost Host => host;

    public void Start() => _ = Task.Run(LiveAsync);

    /// <summary>Never blocks; a full mailbox counts and drops user messages.</summary>
    public void Post(Mail mail)
    {
        if (!mail.IsSystem && Interlocked.Increment(ref waiting) > host.Options.MailboxCapacity)
        {
            Interlocked.Decrement(ref waiting);
            if (Interlocked.Increment(ref overflowed) == 1)
                Log(new StateChange(LogEvent.MailboxOverflow, "Full", "Dropping") { Cause = $"more than {host.Options.MailboxCapacity} messages wait", IsWarning = true });
            return;
        }

        mailbox.Writer.TryWrite(mail);
    }

    public void RequestStop()
    {
        stopRequested = true;
        Post(new Mail(StopSignal.Instance, null, true));
    }

    public ActorAddress Spawn(string name, Func<IActor> make)
    {
        ActorCell child = new(host, new ActorAddress($"{Self.Path}/{name}"), this, make);
        if (!children.TryAdd(name, child))
            throw new InvalidOperationException($"the name {child.Self} is in use: its actor has not ended yet");
        host.Start(child);
        return child.Self;
    }

    public bool HasChild(string name) => children.ContainsKey(name);

    public void StopChild(string name)
    {
        if (children.TryGetValue(name, out ActorCell? child))
            child.RequestStop();
    }

    public void Watch(ActorAddress other)
    {
        if (host.IsElsewhere(other))
        {
            elsewhere[other] = true;
            if (host.Links?.Send(other, Self, new WatchAsked(other)) != true)
                EndedElsewhere(other);
            return;
        }

        ActorCell? cell = host.Find(other);
        if (cell is not null)
            watching.Add(cell);
        if (cell is null || !cell.AddWatcher(Self))
            Post(new Mail(new Terminated(other), null, true, cell));
    }

    /// <summary>Whether the end is one that this incarnation still waits for; each is told once.</summary>
    public bool Awaits(ActorCell other) => watching.Remove(other);

    /// <summary>Something was stored: an outage is over.</summary>
    public void Stored()
    {
        if (outages == 0)
            return;
        outages = 0;
        Log(new StateChange(LogEvent.JournalAvailable, "Paused", "Running") { IsWarning = true });
    }

    public void Log(StateChange change) => host.Log.Write(Self, host.Time.GetUtcNow(), change);

    /// <summary>A watched actor of another host has ended; told once.</summary>
    public void EndedElsewhere(ActorAddress other)
    {
        if (elsewhere.TryRemove(other, out _))
            Post(new Mail(new Terminated(other), null, true));
    }

    public void LostHost(string name)
    {
        foreach (ActorAddress other in elsewhere.Keys.Where(a => a.Host == name))
            EndedElsewhere(other);
    }

    public bool AddWatcher(ActorAddress watcher)
    {
        lock (ending)
        {
            if (ended)
                return false;
            watchers[watcher] = true;
            return true;
        }
    }

    private async Task LiveAsync()
    {
        int restarts = 0;
        DateTimeOffset lastRestart = host.Time.GetUtcNow();
        while (!stopRequested)
        {
            Exception? fault = await IncarnateAsync();
            await EndChildrenAsync();
            watching.RemoveWhere(c => c.Parent == this);
            if (fault is null)
                break;
            DateTimeOffset now = host.Time.GetUtcNow();
            restarts = now - lastRestart > TimeSpan.FromMinutes(1) ? 1 : restarts + 1;
            lastRestart = now;
            if (!await MayRestartAsync(fault, restarts))
                break;
        }

        Finish();
    }

    private async Task<Exception?> IncarnateAsync()
    {
        IActor actor;
#pragma warning disable CA1031 // A maker that fails is a fault like any other.
        try
        {
            actor = create();
        }
        catch (Exception e)
        {
            return e;
        }
#pragma warning restore CA1031

        using Incarnation incarnation = new(this, actor);
        return await incarnation.LiveAsync(mailbox.Reader, () => Interlocked.Decrement(ref waiting), () => stopRequested);
    }

    private async Task<bool> MayRestartAsync(Exception fault, int restarts)
    {
        if (fault is JournalException { Fault: JournalFault.Fenced or JournalFault.Damaged or JournalFault.Foreign } journal)
        {
            Log(new StateChange(LogEvent.ActorFailed, "Running", "Ended") { Cause = journal.Message, IsWarning = true });
            host.Die(journal.Message);
            return false;
        }

        if (fault is JournalException { Fault: JournalFault.Unavailable } outage)
            return await PauseAsync(outage);
        if (restarts > host.Options.MaximumRestarts)
        {
            Log(new StateChange(LogEvent.ActorFailed, "Running", "Ended") { Cause = $"{restarts - 1} restarts did not help: {fault.Message}", IsWarning = true });
            if (Parent is null)
                host.Die($"{Self} failed: {fault.Message}");
            return false;
        }

        TimeSpan delay = Backoff(restarts);
        Log(new StateChange(LogEvent.ActorRestarted, "Faulted", "Restarting") { Attempt = restarts, Cause = $"{fault.GetType().Name}: {fault.Message}; again in {delay.TotalSeconds:0.0##} s", IsWarning = true });
        return await WaitAsync(delay);
    }

    /// <summary>A store that cannot be used now is waited for, however long: said once, tried again with back-off.</summary>
    private async Task<bool> PauseAsync(JournalException outage)
    {
        if (outages++ == 0)
            Log(new StateChange(LogEvent.JournalUnavailable, "Running", "Paused") { Cause = outage.Message, IsWarning = true });
        return await WaitAsync(Backoff(outages));
    }

    private TimeSpan Backoff(int times) => TimeSpan.FromTicks(Math.Min(host.Options.LongestBackoff.Ticks, host.Options.FirstBackoff.Ticks << Math.Min(times - 1, 20)));

    private async Task<bool> WaitAsync(TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, host.Time, host.Stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        return true;
    }

    private async Task EndChildrenAsync()
    {
        ActorCell[] all = [.. children.Values];
        foreach (ActorCell child in all)
            child.RequestStop();
        await Task.WhenAll(all.Select(c => c.Completion));
    }

    private void Finish()
    {
        lock (ending)
            ended = true;
        mailbox.Writer.TryComplete();
        host.Ended(this);
        Parent?.children.TryRemove(Self.Name, out _);
        foreach (ActorAddress watcher in watchers.Keys)
            host.Deliver(watcher, new Mail(new Terminated(Self), null, true, this));
        Log(new StateChange(LogEvent.ActorStopped, "Running", "Stopped"));
        completion.TrySetResult();
    }
}

/// <summary>Wakes a loop so that it sees that it should stop.</summary>
internal sealed class StopSignal
{
    public static StopSignal Instance { get; } = new();
}
