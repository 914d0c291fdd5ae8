using DaNas.Actors.Wire;

namespace DaNas.Actors.Journals;

/// <summary>
/// What every store of the journal keeps beside its rows: the hash chain of each persistence id, and its head in a file outside. Rows are
/// sealed and opened here, whatever stores them; <c>sealsTime</c> for a store that sets its rows' time itself.
/// </summary>
public sealed class JournalLedger(string where, Func<string, string>? headOf, bool sealsTime = false) : IDisposable
{
    private readonly Lock gate = new();
    private readonly HashSet<string> accepted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Head> heads = new(StringComparer.Ordinal);
    private readonly HeadAnchors? anchors = headOf is null ? null : new HeadAnchors(headOf);
    private readonly Lock anchoring = new();

    /// <summary>
    /// For another library's writer beside this journal: the same heads, the same losses accepted, the time of an event sealed into its
    /// row.
    /// </summary>
    public JournalLedger Beside()
    {
        JournalLedger beside = new(where, headOf, true);
        lock (gate)
            beside.accepted.UnionWith(accepted);
        return beside;
    }

    /// <summary>
    /// What the journal has is taken as it is, whatever its head says; the head is made anew with the next append, and not before.
    /// </summary>
    public void Accept(string persistenceId)
    {
        lock (gate)
            accepted.Add(persistenceId);
    }

    /// <summary>The head that reading must reach; null where there is none or it was given up.</summary>
    public Head? HeadOf(string persistenceId)
    {
        lock (gate)
        {
            if (accepted.Contains(persistenceId))
                return null;
        }

        try
        {
            return anchors?.Read(persistenceId);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new JournalException(JournalFault.Damaged,
                $"{e.Message}; it cannot be determined whether the journal is complete: restore the file, or resume with 'danas " +
                    $"resume ID --accept'", e)
            { Cut = (0, 0) };
        }
    }

    /// <summary>Checks rows against chain and head. Throws <see cref="JournalException"/>.</summary>
    public IReadOnlyList<StoredEvent> Open(string persistenceId, Head? head, IReadOnlyList<Row> rows)
    {
        List<StoredEvent> result = [];
        string chain = Envelope.Genesis(persistenceId);
        foreach (Row row in rows)
        {
            if (row.Head.Sequence != result.Count + 1)
                throw new JournalException(JournalFault.Damaged,
                    $"{where}: event {result.Count + 1} of {persistenceId} is missing; restore the journal from a backup");
            try
            {
                (object e, chain, long epoch, long ticks) = Envelope.Open(chain, row.Head, row.Message);
                result.Add(new(row.Head.Sequence, new DateTimeOffset(ticks, TimeSpan.Zero), row.Head.Manifest,
                    e)
                { Epoch = epoch, Chain = chain });
            }
            catch (InvalidDataException e)
            {
                throw new JournalException(JournalFault.Damaged,
                    $"{where}: {persistenceId}: {e.Message}; restore the journal from a backup", e);
            }
        }

        CheckHead(persistenceId, head, result);
        Known(persistenceId, new Head(result.Count, chain));
        return result;
    }

    /// <summary>Seals events onto the chain as it was last read or stored.</summary>
    public SealedRows Seal(string persistenceId, long lastSequence, long epoch, DateTimeOffset now, IReadOnlyList<object> events)
    {
        Head head0;
        lock (gate)
            head0 = heads.GetValueOrDefault(persistenceId) ?? new Head(0, Envelope.Genesis(persistenceId));
        if (head0.Sequence != lastSequence)
            throw new JournalException(JournalFault.Unavailable, Invariant($"{where}: {persistenceId} is known up to event " +
                $"{head0.Sequence}, but event {lastSequence + 1} was about to be stored: the journal is read again first"));
        string chain = head0.Chain;
        List<Row> rows = [];
        foreach (object e in events)
        {
            RowHead head = new(++lastSequence, now.UtcTicks, WireFormat.ManifestOf(e));
            (byte[] message, chain) = Envelope.Seal(chain, head, epoch, WireFormat.Write(e), sealsTime);
            rows.Add(new Row(head, message));
        }

        return new SealedRows(rows, new Head(lastSequence, chain));
    }

    /// <summary>The rows are durable: the chain goes on from them, and their head is flushed before anybody hears of it.</summary>
    public void Stored(string persistenceId, SealedRows rows)
    {
        bool forget;
        lock (gate)
        {
            heads[persistenceId] = rows.Head;
            forget = accepted.Remove(persistenceId);
        }

        lock (anchoring)
        {
            if (forget)
                anchors?.Forget(persistenceId);
            anchors?.Write(persistenceId, rows.Head);
        }
    }

    /// <summary>
    /// What was read is known, unless more was stored meanwhile: a reader beside the writer must not take the chain back.
    /// </summary>
    private void Known(string persistenceId, Head head)
    {
        lock (gate)
        {
            if (accepted.Contains(persistenceId) || heads.GetValueOrDefault(persistenceId) is not { } known
                || known.Sequence <= head.Sequence)
                heads[persistenceId] = head;
        }
    }

    /// <summary>Another writer may have been at it since: what is known of it is read anew.</summary>
    public void Forget(string persistenceId)
    {
        lock (gate)
            heads.Remove(persistenceId);
    }

    public void Dispose() => anchors?.Dispose();

    private void CheckHead(string persistenceId, Head? head, List<StoredEvent> events)
    {
        if (head is null || (events.Count >= head.Sequence && (head.Sequence == 0 || events[(int)head.Sequence - 1].Chain == head.Chain)))
            return;
        string what = events.Count < head.Sequence
            ? Invariant($"{where}: {persistenceId} ends at event {events.Count}, but event {head.Sequence} was acknowledged: the end of " +
                $"the journal is missing")
            : Invariant($"{where}: event {head.Sequence} of {persistenceId} is not the one that was acknowledged: the histories differ");
        throw new JournalException(JournalFault.Damaged, $"{what}; restore the journal (a SQLite file with its -wal file) from a backup, " +
            $"or resume from the remaining events with 'danas resume ID --accept', which records the loss")
        {
            Cut = (head.Sequence, events.Count),
        };
    }
}
