using DaNas.Actors.Journals;
using DaNas.Actors.Wire;
using DaNas.Domain.Searches;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>
/// The fence of the journal over the simulated store, as the data base's trigger is: rows of whoever is not the writer that acquired last
/// are refused. What is stored is read through its bytes, as any reader would, and told to the checks.
/// </summary>
internal sealed class FencedStore
{
    private readonly SimulatedWorld world;
    private readonly SafetyChecks checks;
    private readonly Dictionary<string, long> epochs = new(StringComparer.Ordinal);
    private readonly Plant plant;
    private readonly Dictionary<string, string> chains = new(StringComparer.Ordinal);

    public FencedStore(SimulatedWorld world, SafetyChecks checks, Plant plant)
    {
        this.world = world;
        this.checks = checks;
        this.plant = plant;
        if (plant != Plant.FencingRemoved)
            world.Store.Refuses = Refuses;
        if (plant == Plant.ClockInFold)
            world.Store.ReadsAs = WithClock;
        world.Store.AcknowledgesEarly = plant == Plant.ReplyBeforePersist;
        world.Store.Stored = Stored;
    }

    /// <summary>Makes the caller the writer.</summary>
    public SimulatedTables Acquire(string persistenceId)
    {
        if (world.Store.IsFull)
            throw new JournalException(JournalFault.Unavailable, "the disk is full (simulated)");
        long epoch = epochs[persistenceId] = epochs.GetValueOrDefault(persistenceId) + 1;
        return new SimulatedTables(persistenceId, epoch, plant == Plant.FencingRemoved);
    }

    private JournalException? Refuses(Append append) => append.Rows
        .Any(r => Envelope.EpochOf(r.Payload) != epochs.GetValueOrDefault(append.PersistenceId))
        ? new JournalException(JournalFault.Fenced, $"another process took {append.PersistenceId} over")
        : null;

    private void Stored(Append append)
    {
        string chain = chains.GetValueOrDefault(append.PersistenceId) ?? Envelope.Genesis(append.PersistenceId);
        foreach (StoredRow row in append.Rows)
        {
            if (plant is Plant.ClockInFold or Plant.FencingRemoved or Plant.ReplyBeforePersist)
            {
                // What is planted breaks the chain too; the checks must find it without.
                checks.Durable(row.SequenceNr, Envelope.EpochOf(row.Payload),
                    (SearchEvent)WireFormat.Read(row.Manifest, Envelope.PayloadOf(row.Payload)));
                continue;
            }

            (object e, chain, long epoch, _) = Envelope.Open(chain, new RowHead(row.SequenceNr, row.Timestamp, row.Manifest), row.Payload);
            checks.Durable(row.SequenceNr, epoch, (SearchEvent)e);
        }

        chains[append.PersistenceId] = chain;
    }

    /// <summary>The planted defect: what is recovered depends on when.</summary>
    private List<StoredRow> WithClock(string persistenceId, IReadOnlyList<StoredRow> rows)
    {
        List<StoredRow> read = [];
        string chain = Envelope.Genesis(persistenceId);
        foreach (StoredRow row in rows)
        {
            object e = WireFormat.Read(row.Manifest, Envelope.PayloadOf(row.Payload));
            if (e is SearchEvent.RoundCompleted round)
                e = round with { Loss = round.Loss + (world.Elapsed.Ticks % 1000 * 1e-6) };
            (byte[] bytes, chain) = Envelope.Seal(chain, new RowHead(row.SequenceNr, row.Timestamp, row.Manifest),
                Envelope.EpochOf(row.Payload), WireFormat.Write(e), true);
            read.Add(row with { Payload = bytes });
        }

        return read;
    }
}
