using DaNas.Actors.Logging;
using DaNas.Domain.Values;

namespace DaNas.Actors.Simulated;

/// <summary>
/// A whole cluster in one thread: virtual time, one seed, an agenda of what happens when. The same seed gives the same history to the last
/// message, so any failure is replayed from its seed.
/// </summary>
public sealed class SimulatedWorld
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>By microsecond, then by the order in which it was put there.</summary>
    private readonly PriorityQueue<Action, (long Microseconds, long Order)> agenda = new();
    private readonly Dictionary<string, SimulatedNode> nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ActorAddress> roles = new(StringComparer.Ordinal);
    private long order;

    public SimulatedWorld(long seed, IStateLog log, Plant plant = Plant.None)
    {
        Random = new SeededRandom(seed);
        Log = log;
        Plant = plant;
        Network = new SimulatedNetwork(this);
        Store = new SimulatedStore(this);
    }

    /// <summary>Virtual time since the beginning.</summary>
    public TimeSpan Elapsed { get; private set; }

    public DateTimeOffset Now => Epoch + Elapsed;

    public SeededRandom Random { get; }

    public IStateLog Log { get; }

    /// <summary>The defect on purpose, for tests that the checks find it.</summary>
    public Plant Plant { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedStore Store { get; }

    /// <summary>User messages that wait for one actor; what comes above is counted and dropped.</summary>
    public int MailboxCapacity { get; set; } = 10_000;

    public long Overflowed { get; internal set; }

    public IReadOnlyDictionary<string, SimulatedNode> Nodes => nodes;

    /// <summary>A process that ended itself (another writer took over, an actor at the top failed for good): who starts it again decides.</summary>
    public Action<SimulatedNode, string>? Died { get; set; }

    /// <summary>Adds a process, running.</summary>
    public SimulatedNode AddNode(string name)
    {
        SimulatedNode node = new(this, name);
        nodes.Add(name, node);
        return node;
    }

    public void PlayRole(string role, ActorAddress address) => roles[role] = address;

    public ActorAddress Resolve(string role) => roles.TryGetValue(role, out ActorAddress? address) ? address : new ActorAddress($"//nowhere/{role}");

    /// <summary>The node that an address lives on, or null.</summary>
    public SimulatedNode? NodeOf(ActorAddress address)
    {
        int end = address.Path.StartsWith("//", StringComparison.Ordinal) ? address.Path.IndexOf('/', 2) : -1;
        return end < 0 ? null : nodes.GetValueOrDefault(address.Path[2..end]);
    }

    /// <summary>Puts something on the agenda.</summary>
    public void After(TimeSpan delay, Action action) =>
        agenda.Enqueue(action, (((Elapsed + delay).Ticks + TimeSpan.TicksPerMicrosecond - 1) / TimeSpan.TicksPerMicrosecond, order++));

    /// <summary>Does what comes next; false when nothing is left.</summary>
    public bool Step()
    {
        if (!agenda.TryDequeue(out Action? action, out (long Microseconds, long Order) at))
            return false;
        TimeSpan time = TimeSpan.FromTicks(at.Microseconds * TimeSpan.TicksPerMicrosecond);
        if (time > Elapsed)
            Elapsed = time;
        action();
        return true;
    }

    /// <summary>Runs until a condition holds; false when the limit of virtual time is reached or nothing is left to do.</summary>
    public bool RunUntil(Func<bool> done, TimeSpan limit)
    {
        while (!done())
        {
            if (Elapsed > limit || !Step())
                return false;
        }

        return true;
    }

    /// <summary>Uniform between two durations.</summary>
    public TimeSpan Between(double lowSeconds, double highSeconds) => TimeSpan.FromSeconds(lowSeconds + (Random.NextDouble() * (highSeconds - lowSeconds)));

    public bool Chance(double probability) => Random.NextDouble() < probability;
}

/// <summary>Defects that are planted on purpose: each must be found by the simulation's checks.</summary>
public enum Plant
{
    None,

    /// <summary>The store does not compare the writer's epoch.</summary>
    FencingRemoved,

    /// <summary>What was decided is acknowledged before it is stored.</summary>
    ReplyBeforePersist,

    /// <summary>The fold reads the clock.</summary>
    ClockInFold,

    /// <summary>The search's retry timer never fires.</summary>
    LostTimer,

    /// <summary>Weights that the search stands on are discarded with the others.</summary>
    EarlyDiscard,
}
