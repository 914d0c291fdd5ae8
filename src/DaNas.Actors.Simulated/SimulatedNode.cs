namespace DaNas.Actors.Simulated;

/// <summary>Long work outside the actors: gets the request and a way to answer, now or later.</summary>
public delegate void SimulatedPort(object request, Action<object?, string?> reply);

/// <summary>One process: its actors, its clock, and whether it runs, is stopped, or is dead.</summary>
public sealed class SimulatedNode
{
    private readonly Dictionary<string, SimulatedCell> cells = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SimulatedPort> ports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> epochs = new(StringComparer.Ordinal);
    private TimeSpan pausedUntil;

    internal SimulatedNode(SimulatedWorld world, string name)
    {
        World = world;
        Name = name;
    }

    public SimulatedWorld World { get; }

    public string Name { get; }

    public bool IsAlive { get; private set; } = true;

    /// <summary>How often the process was started again.</summary>
    public int Incarnation { get; private set; }

    /// <summary>What its clock is wrong by.</summary>
    public TimeSpan Skew { get; set; }

    public bool IsPaused => World.Elapsed < pausedUntil;

    public DateTimeOffset Now => World.Now + Skew;

    /// <summary>Starts an actor at the top of this process.</summary>
    public ActorAddress Spawn(string name, Func<IActor> create)
    {
        SimulatedCell cell = new(this, new ActorAddress($"//{Name}/{name}"), null, create);
        Add(cell);
        return cell.Self;
    }

    public ActorAddress Listen(string name, Action<object> receive) => Spawn(name, () => new Listener(receive));

    public void OpenPort(string name, SimulatedPort work) => ports[name] = work;

    /// <summary>From outside: a message without a sender.</summary>
    public void Tell(ActorAddress receiver, object message) => Deliver(receiver.Path, new SimulatedMail(message, null));

    /// <summary>Makes this process the writer of a persistence id; it keeps the epoch until it dies.</summary>
    public long Acquire(string persistenceId) => epochs[persistenceId] = World.Store.Acquire(persistenceId);

    internal long EpochOf(string persistenceId) => epochs.GetValueOrDefault(persistenceId);

    /// <summary>kill -9: everything in memory is gone; whoever watched from elsewhere hears of it later.</summary>
    public void Crash()
    {
        if (!IsAlive)
            return;
        IsAlive = false;
        Incarnation++;
        pausedUntil = TimeSpan.Zero;
        SimulatedCell[] gone = [.. cells.Values];
        cells.Clear();
        ports.Clear();
        epochs.Clear();
        foreach (SimulatedCell cell in gone)
            cell.Vanish(World.Between(0.5, 6));
    }

    /// <summary>An empty process again.</summary>
    public void Restart()
    {
        if (!IsAlive)
            IsAlive = true;
    }

    /// <summary>SIGSTOP and, later, SIGCONT. Others take it for dead after a while; it knows nothing of that.</summary>
    public void Pause(TimeSpan duration)
    {
        if (!IsAlive)
            return;
        pausedUntil = World.Elapsed + duration;
        TimeSpan patience = World.Between(4, 8);
        if (duration <= patience)
            return;
        int incarnation = Incarnation;
        World.After(patience, () =>
        {
            if (IsAlive && incarnation == Incarnation && IsPaused)
            {
                foreach (SimulatedCell cell in cells.Values.ToList())
                    cell.Suspect();
            }
        });
    }

    /// <summary>Something of this process: dropped when it died meanwhile, put off while it is stopped.</summary>
    internal void After(TimeSpan delay, Action action)
    {
        int incarnation = Incarnation;
        World.After(delay, Act);

        void Act()
        {
            if (!IsAlive || incarnation != Incarnation)
                return;
            if (IsPaused)
                World.After(pausedUntil - World.Elapsed, Act);
            else
                action();
        }
    }

    /// <summary>Now, or when it runs again.</summary>
    internal void AtOnce(Action action)
    {
        if (IsPaused)
            After(TimeSpan.Zero, action);
        else if (IsAlive)
            action();
    }

    internal void Add(SimulatedCell cell)
    {
        if (!cells.TryAdd(cell.Self.Path, cell))
            throw new InvalidOperationException($"the name {cell.Self} is in use");
        cell.Start();
    }

    internal void Remove(SimulatedCell cell)
    {
        if (cells.TryGetValue(cell.Self.Path, out SimulatedCell? known) && known == cell)
            cells.Remove(cell.Self.Path);
    }

    internal SimulatedCell? Find(string path) => cells.GetValueOrDefault(path);

    internal void Deliver(string path, SimulatedMail mail) => Find(path)?.Post(mail);

    internal void RunPort(string port, object request, Action<object?, string?> reply)
    {
        if (ports.TryGetValue(port, out SimulatedPort? work))
            work(request, reply);
        else
            reply(null, $"there is no port '{port}'");
    }

    /// <summary>The process ends itself.</summary>
    internal void Die(string reason)
    {
        Crash();
        World.Died?.Invoke(this, reason);
    }

    private sealed class Listener(Action<object> receive) : IActor
    {
        public void Receive(IActorContext context, object message) => receive(message);
    }
}

/// <summary>A message on its way; null sender: the world, a timer or a port. Ended: the cell whose end it tells of.</summary>
internal sealed record SimulatedMail(object Message, ActorAddress? Sender, bool IsSystem = false, SimulatedCell? Ended = null);
