using Akka.Persistence;

namespace DaNas.SimulationKit;

/// <summary>
/// The journal's rows, which outlive every node. All or none of an append is stored; it may fail before or after that (then it is stored,
/// but reported as failed), be slow, or have no space.
/// </summary>
public sealed class SimulatedStore
{
    private readonly SimulatedWorld world;
    private readonly Dictionary<string, List<StoredRow>> rows = new(StringComparer.Ordinal);
    private TimeSpan fullUntil;

    internal SimulatedStore(SimulatedWorld world) => this.world = world;

    /// <summary>Probability that an append fails and nothing is stored.</summary>
    public double Failure { get; set; }

    /// <summary>Probability that an append is stored and reported as failed.</summary>
    public double Ambiguity { get; set; }

    /// <summary>Appends of which this holds are stored and reported as failed, once.</summary>
    public Predicate<Append>? BlursOnce { get; set; }

    /// <summary>The next append fails and nothing is stored.</summary>
    public bool FailNext { get; set; }

    /// <summary>Seconds that an append takes at most, there and back each.</summary>
    public double SlowestSeconds { get; set; } = 0.003;

    public bool IsFull => world.Elapsed < fullUntil;

    /// <summary>Why the store refuses an append (a fence, a unique key of its own); null where it takes it.</summary>
    public Func<Append, Exception?>? Refuses { get; set; }

    /// <summary>Told of every append that became durable.</summary>
    public Action<Append>? Stored { get; set; }

    /// <summary>A planted defect: an append is acknowledged before it is stored, whatever becomes of it.</summary>
    public bool AcknowledgesEarly { get; set; }

    /// <summary>A planted defect: what a reader gets in the place of the rows.</summary>
    public Func<string, IReadOnlyList<StoredRow>, IReadOnlyList<StoredRow>>? ReadsAs { get; set; }

    public void Fill(TimeSpan duration) => fullUntil = world.Elapsed + duration;

    public IReadOnlyList<StoredRow> Read(string persistenceId)
    {
        IReadOnlyList<StoredRow> stored = rows.GetValueOrDefault(persistenceId) ?? [];
        return ReadsAs?.Invoke(persistenceId, stored) ?? stored;
    }

    /// <summary>
    /// Appends after a while and calls back with null or the fault. The request is on its way: a process that dies meanwhile never hears of
    /// it, and it may have been stored or not.
    /// </summary>
    internal void Append(Append append, Action<Exception?> reply)
    {
        TimeSpan there = world.Between(0.0001, SlowestSeconds);
        SimulatedNode from = append.From;
        int incarnation = from.Incarnation;
        world.After(there, () =>
        {
            if (incarnation != from.Incarnation && world.Chance(0.5))
                return; // The process died with the request still in its hands.
            Exception? fault = Commit(append);
            bool blurred = fault is null && BlursOnce?.Invoke(append) == true;
            BlursOnce = blurred ? null : BlursOnce;
            if (fault is null && (blurred || world.Chance(Ambiguity)))
                fault = new StoreException("the connection was lost after the commit (simulated)");
            if (incarnation == from.Incarnation)
                from.After(there, () => reply(fault));
        });
    }

    private Exception? Commit(Append append)
    {
        if (IsFull)
            return new StoreException("the disk is full (simulated)");
        bool fails = FailNext || world.Chance(Failure);
        FailNext = false;
        if (fails)
            return new StoreException("the store failed (simulated)");
        if (Refuses?.Invoke(append) is { } refused)
            return refused;
        if (!rows.TryGetValue(append.PersistenceId, out List<StoredRow>? stored))
            rows[append.PersistenceId] = stored = [];
        if (append.Rows[0].SequenceNr != stored.Count + 1)
            return new StoreException($"duplicate key (persistence_id, sequence_number) = ({append.PersistenceId}, " +
                $"{append.Rows[0].SequenceNr})");
        stored.AddRange(append.Rows);
        foreach (StoredRow row in append.Rows)
            world.History.Add(row.Payload);
        Stored?.Invoke(append);
        return null;
    }
}
