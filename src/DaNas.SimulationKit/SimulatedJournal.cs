using Akka.Actor;
using Akka.Persistence;
using Akka.Serialization;

namespace DaNas.SimulationKit;

/// <summary>Akka.Persistence's journal over the simulated store: without threads or tasks, in the order of Akka's own.</summary>
public sealed class SimulatedJournal : ReceiveActor
{
    private readonly SimulatedNode node = NodeSetup.Of(Context.System.Settings);
    private readonly ActorSystem system = Context.System;

    public SimulatedJournal()
    {
        Receive<WriteMessages>(Write);
        Receive<ReplayMessages>(Replay);
    }

    private void Write(WriteMessages m)
    {
        IPersistentEnvelope[] envelopes = [.. m.Messages];
        IPersistentRepresentation[] all = [.. envelopes.OfType<AtomicWrite>()
            .SelectMany(a => (IEnumerable<IPersistentRepresentation>)a.Payload)];
        if (all.Length == 0)
        {
            Reply(null);
            return;
        }

        StoredRow[] rows = [.. all.Select(RowOf)];
        bool early = node.World.Store.AcknowledgesEarly;
        if (early)
            Reply(null);
        node.World.Store.Append(new Append(node, all[0].PersistenceId, rows), fault =>
        {
            if (!early)
                Reply(fault);
        });

        void Reply(Exception? fault)
        {
            object whole = fault is null ? WriteMessagesSuccessful.Instance : new WriteMessagesFailed(fault, envelopes.Length);
            m.PersistentActor.Tell(whole, ActorRefs.NoSender);
            foreach (IPersistentEnvelope envelope in envelopes)
            {
                if (envelope is not AtomicWrite write)
                {
                    m.PersistentActor.Tell(new LoopMessageSuccess(envelope.Payload, m.ActorInstanceId), envelope.Sender);
                    continue;
                }

                foreach (IPersistentRepresentation p in (IEnumerable<IPersistentRepresentation>)write.Payload)
                    m.PersistentActor.Tell(fault is null ? new WriteMessageSuccess(p, m.ActorInstanceId)
                        : new WriteMessageFailure(p, fault, m.ActorInstanceId), p.Sender);
            }
        }
    }

    private StoredRow RowOf(IPersistentRepresentation p)
    {
        Serializer serializer = system.Serialization.FindSerializerFor(p.Payload);
        return new(p.SequenceNr, serializer.Identifier, Serialization.ManifestFor(serializer, p.Payload),
            serializer.ToBinary(p.Payload), node.Now.UtcTicks);
    }

    private void Replay(ReplayMessages m)
    {
        IReadOnlyList<StoredRow> rows = node.World.Store.Read(m.PersistenceId);
        foreach (StoredRow row in rows.Where(r => r.SequenceNr >= m.FromSequenceNr && r.SequenceNr <= m.ToSequenceNr)
            .Take((int)Math.Min(m.Max, int.MaxValue)))
        {
            object payload = system.Serialization.Deserialize(row.Payload, row.SerializerId, row.Manifest);
            m.PersistentActor.Tell(new ReplayedMessage(new Persistent(
                payload, row.SequenceNr, m.PersistenceId, row.Manifest, false, null, null, row.Timestamp)), ActorRefs.NoSender);
        }

        m.PersistentActor.Tell(new RecoverySuccess(rows.Count), ActorRefs.NoSender);
    }
}
