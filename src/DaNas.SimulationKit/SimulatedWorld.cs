using Akka.Configuration;

namespace DaNas.SimulationKit;

/// <summary>
/// Several actor systems in one thread, under one seed and in virtual time. A turn (one message, or what system messages wait, of one
/// mailbox) is drawn among all mailboxes that can run; when none can, time goes on to what is due next. The same seed gives the same
/// history, to the last turn.
/// </summary>
public sealed class SimulatedWorld
{
    /// <summary>What one turn takes, at most.</summary>
    private const int LongestTurnTicks = 500;

    private static readonly DateTimeOffset Beginning = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>By time, then by the order in which it was put there.</summary>
    private readonly PriorityQueue<Action, (long Ticks, long Order)> agenda = new();
    private readonly List<SimulatedNode> nodes = [];
    private long order;
    private long ticks;
    private int thread = Environment.CurrentManagedThreadId;
    private volatile string? trespass;

    /// <summary>A world without nodes at time zero.</summary>
    public SimulatedWorld(ulong seed)
    {
        Random = new SeededSequence(seed);
        Network = new SimulatedNetwork(this);
        Store = new SimulatedStore(this);
    }

    /// <summary>Virtual time since the beginning.</summary>
    public TimeSpan Elapsed => new(ticks);

    /// <summary>The world's clock; a node's may be wrong.</summary>
    public DateTimeOffset Now => Beginning.AddTicks(ticks);

    public SeededSequence Random { get; }

    public SimulatedNetwork Network { get; }

    /// <summary>The journal of all nodes.</summary>
    public SimulatedStore Store { get; }

    public IReadOnlyList<SimulatedNode> Nodes => nodes;

    /// <summary>A planted defect: timers and scheduled messages that never come, by their message.</summary>
    public Predicate<object>? LosesScheduled { get; set; }

    /// <summary>Turns so far.</summary>
    public long Turns { get; private set; }

    /// <summary>What happened so far, as one number: equal for equal histories.</summary>
    public History History { get; } = new();

    /// <summary>
    /// Adds a node, which does not run before <see cref="SimulatedNode.Start"/>. <paramref name="config"/> goes over the kit's and Akka's
    /// own.
    /// </summary>
    public SimulatedNode AddNode(string name, Config config)
    {
        SimulatedNode node = new(this, name, nodes.Count, config);
        nodes.Add(node);
        return node;
    }

    /// <summary>The node of a name; null where there is none.</summary>
    public SimulatedNode? Find(string name) => nodes.Find(n => n.Name == name);

    /// <summary>Puts something on the agenda.</summary>
    public void After(TimeSpan delay, Action action)
    {
        if (IsOwnThread("something on the agenda"))
            agenda.Enqueue(action, (ticks + delay.Ticks, order++));
    }

    /// <summary>Uniform between two durations.</summary>
    public TimeSpan Between(double lowSeconds, double highSeconds) =>
        TimeSpan.FromSeconds(lowSeconds + (Random.Fraction() * (highSeconds - lowSeconds)));

    public bool Chance(double probability) => probability > 0 && Random.Fraction() < probability;

    /// <summary>One turn, or what is due next; false when nothing is left to do.</summary>
    public bool Step() => Alone(StepOnce);

    /// <summary>Runs until a condition holds; false when the limit of virtual time is reached or nothing is left to do.</summary>
    public bool RunUntil(Func<bool> done, TimeSpan limit) => Alone(() =>
    {
        while (!done())
        {
            if (Elapsed > limit || !StepOnce())
                return ThrowTrespass(false);
        }

        return ThrowTrespass(true);
    });

    /// <summary>
    /// Whatever makes an actor runnable must do so in the world's own thread; from another one it is noted, thrown by the next step or at
    /// the end of the run, and does nothing.
    /// </summary>
    internal bool IsOwnThread(string what)
    {
        if (Environment.CurrentManagedThreadId == thread)
            return true;
        trespass ??= what;
        return false;
    }

    private bool ThrowTrespass(bool otherwise) => trespass is not { } what
        ? otherwise
        : throw new InvalidOperationException($"{what} was set going by another thread: a task that the simulation does not complete " +
            $"itself, a timer of .NET, or a dispatcher that is not the kit's");

    /// <summary>
    /// In this thread, and without a synchronization context: beside one, a task that the world completes would continue on the thread
    /// pool, and no seed could tell when.
    /// </summary>
    private bool Alone(Func<bool> run)
    {
        if (TaskScheduler.Current != TaskScheduler.Default)
            throw new InvalidOperationException("run a simulation on the default task scheduler: under another one, tasks that the " +
                "simulation completes would continue on other threads");
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        thread = Environment.CurrentManagedThreadId;
        try
        {
            return run();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private bool StepOnce()
    {
        ThrowTrespass(true);
        int runnable = 0;
        foreach (SimulatedNode node in nodes)
            runnable += node.Runnable;
        bool due = agenda.TryPeek(out _, out (long Ticks, long Order) next);
        if (runnable == 0 || (due && next.Ticks <= ticks))
        {
            if (!due)
                return false;
            ticks = Math.Max(ticks, next.Ticks);
            agenda.Dequeue()();
            return true;
        }

        ulong drawn = Random.Next();
        int chosen = (int)((drawn >> 32) % (ulong)runnable);
        foreach (SimulatedNode node in nodes)
        {
            if (chosen < node.Runnable)
            {
                node.Run(chosen);
                break;
            }

            chosen -= node.Runnable;
        }

        Turns++;
        ticks += (long)(drawn % LongestTurnTicks);
        return true;
    }
}
