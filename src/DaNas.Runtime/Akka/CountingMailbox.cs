using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;
using DaNas.Actors.Wire;

namespace DaNas.Runtime.Akka;

using Envelope = global::Akka.Actor.Envelope;

/// <summary>
/// Bounds what waits for an actor. Akka's bounded mailboxes drop timers, ends of watched actors and the journal's answers too; this one
/// drops, and counts, only messages of the protocols, which are all sent again.
/// </summary>
internal sealed class CountingMailbox(Settings settings, Config config) : MailboxType(settings, config),
    IProducesMessageQueue<CountingMailbox.Queue>
{
    private readonly int capacity = settings.Config.GetInt("danas.mailbox.capacity");

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) =>
        new Queue(owner, capacity, system.Settings.Setup.Get<AkkaHost.HostSetup>().Value.Host);

    internal sealed class Queue(IActorRef owner, int capacity, AkkaHost host) : DequeWrapperMessageQueue(new Inner(owner, capacity, host)),
        IUnboundedDequeBasedMessageQueueSemantics
    {
        private sealed class Inner(IActorRef owner, int capacity, AkkaHost host) : IMessageQueue
        {
            private readonly UnboundedMessageQueue queue = new();
            private int dropped;

            public bool HasMessages => queue.HasMessages;

            public int Count => queue.Count;

            public void Enqueue(IActorRef receiver, Envelope envelope)
            {
                if (queue.Count >= capacity && WireFormat.Has(envelope.Message.GetType()))
                    host.CountOverflow(Interlocked.Increment(ref dropped) == 1 ? owner : null);
                else
                    queue.Enqueue(receiver, envelope);
            }

            public bool TryDequeue(out Envelope envelope) => queue.TryDequeue(out envelope);

            public void CleanUp(IActorRef owner, IMessageQueue deadletters) => queue.CleanUp(owner, deadletters);
        }
    }
}
