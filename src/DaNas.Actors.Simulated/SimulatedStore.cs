using DaNas.Actors.Journals;
using DaNas.Actors.Wire;

namespace DaNas.Actors.Simulated;

/// <summary>
/// The journal's store, which outlives every process. All or none of an append is stored, under the writer's epoch; it may fail before or
/// after that (then it is stored, but reported as failed), be slow, or have no space.
/// </summary>
public sealed class SimulatedStore
{
    private readonly SimulatedWorld world;
    private readonly Dictionary<string, List<StoredEvent>> rows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> epochs = new(StringComparer.Ordinal);
    private TimeSpan fullUntil;

    internal SimulatedStore(SimulatedWorld world) => this.world = world;

    /// <summary>Probability that an append fails and nothing is stored.</summary>
    public double Failure { get; set; }

    /// <summary>Probability that an append is stored and reported as failed.</summary>
    public double Ambiguity { get; set; }

    /// <summary>Appends of these events are stored and reported as failed, once.</summary>
    public Predicate<object>? BlursOnce { get; set; }

    /// <summary>The next append fails and nothing is stored.</summary>
    public bool FailNext { get; set; }

    public double SlowestSeconds { get; set; } = 0.003;

    public bool IsFull => world.Elapsed < fullUntil;

    /// <summary>Told of every event that became durable: persistence id, sequence number, epoch, event.</summary>
    public Action<string, long, long, object>? Stored { get; set; }

    public void Fill(TimeSpan duration) => fullUntil = world.Elapsed + duration;

    /// <summary>Makes the caller the writer; its epoch.</summary>
    public long Acquire(string persistenceId)
    {
        if (IsFull)
            throw new JournalException(JournalFault.Unavailable, "the disk is full (simulated)");
        return epochs[persistenceId] = epochs.GetValueOrDefault(persistenceId) + 1;
    }

    public IReadOnlyList<StoredEvent> Read(string persistenceId) => rows.TryGetValue(persistenceId, out List<StoredEvent>? stored) ? [.. stored] : [];

    /// <summary>
    /// Appends after a while and calls back with null or the fault. The request is on its way: a process that dies meanwhile never hears
    /// of it, and it may have been stored or not.
    /// </summary>
    internal void Append(SimulatedNode from, AppendRequest request, Action<JournalException?> reply)
    {
        TimeSpan there = world.Between(0.0001, SlowestSeconds);
        int incarnation = from.Incarnation;
        world.After(there, () =>
        {
            if (incarnation != from.Incarnation && world.Chance(0.5))
                return; // The process died with the request still in its hands.
            JournalException? fault = Commit(request);
            bool blurred = fault is null && request.Events.Any(e => BlursOnce?.Invoke(e) == true);
            BlursOnce = blurred ? null : BlursOnce;
            if (fault is null && (blurred || world.Chance(Ambiguity)))
                fault = new JournalException(JournalFault.Unavailable, "the connection was lost after the commit (simulated)");
            if (incarnation == from.Incarnation)
                from.After(there, () => reply(fault));
        });
    }

    private JournalException? Commit(AppendRequest request)
    {
        if (IsFull)
            return new JournalException(JournalFault.Unavailable, "the disk is full (simulated)");
        bool fails = FailNext || world.Chance(Failure);
        FailNext = false;
        if (fails)
            return new JournalException(JournalFault.Unavailable, "the store failed (simulated)");
        if (world.Plant != Plant.FencingRemoved && request.Epoch != epochs.GetValueOrDefault(request.PersistenceId))
            return new JournalException(JournalFault.Fenced, $"another process took {request.PersistenceId} over");
        if (!rows.TryGetValue(request.PersistenceId, out List<StoredEvent>? stored))
            rows[request.PersistenceId] = stored = [];
        if (stored.Count != request.LastSequence)
            return new JournalException(JournalFault.Unavailable, $"sequence number {request.LastSequence + 1} is taken");
        string before = stored.Count > 0 ? stored[^1].Chain : Envelope.Genesis(request.PersistenceId);
        foreach (object e in request.Events)
        {
            RowHead head = new(stored.Count + 1, world.Now.UtcTicks, WireFormat.ManifestOf(e));
            (byte[] bytes, _) = Envelope.Seal(before, head, request.Epoch, WireFormat.Write(e));
            (object read, before, long epoch, _) = Envelope.Open(before, head, bytes); // What any reader will see, through the stored bytes.
            stored.Add(new(head.Sequence, world.Now, head.Manifest, read) { Epoch = epoch, Chain = before });
            Stored?.Invoke(request.PersistenceId, head.Sequence, request.Epoch, read);
        }

        return null;
    }
}

/// <summary>An append as it travels to the store.</summary>
internal sealed record AppendRequest(string PersistenceId, long Epoch, long LastSequence, IReadOnlyList<object> Events);
