using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;

namespace DaNas.Actors.Akka;

/// <summary>What the host itself sends: never counted, never dropped.</summary>
internal interface IInternal : INoSerializationVerificationNeeded;

/// <summary>A message that has no place in the wire format, and so never leaves this process.</summary>
internal sealed record Local(object Message) : INoSerializationVerificationNeeded;

/// <summary>A deque mailbox that bounds what waits, stash included: counted on the way in, taken off when handled.</summary>
internal sealed class CountingMailbox(Settings settings, Config config) : MailboxType(settings, config), IProducesMessageQueue<CountingMailbox.Queue>
{
    public override IMessageQueue Create(IActorRef owner, ActorSystem system) =>
        new Queue(owner, Config.GetInt("capacity"), system.Settings.Setup.Get<AkkaHost.HostSetup>().Value.Host);

    /// <summary>Only messages of actors count; death watch, timers and the host's own must not be lost.</summary>
    private static bool Counts(object message) => WrappedMessage.Unwrap(message) is not (IInternal or global::Akka.Actor.Terminated or IAutoReceivedMessage); // Timers are wrapped twice.

    internal sealed class Queue(IActorRef owner, int capacity, AkkaHost host) : DequeWrapperMessageQueue(new Inner(owner, capacity, host)), IUnboundedDequeBasedMessageQueueSemantics
    {
        public void Taken() => ((Inner)MessageQueue).Taken();

        private sealed class Inner(IActorRef owner, int capacity, AkkaHost host) : IMessageQueue
        {
            private readonly UnboundedMessageQueue queue = new();
            private int waiting;
            private int dropped;

            public bool HasMessages => queue.HasMessages;

            public int Count => queue.Count;

            public void Taken() => Interlocked.Decrement(ref waiting);

            public void Enqueue(IActorRef receiver, Envelope envelope)
            {
                if (Counts(envelope.Message) && Interlocked.Increment(ref waiting) > capacity)
                {
                    Interlocked.Decrement(ref waiting);
                    host.CountOverflow(Interlocked.Increment(ref dropped) == 1 ? host.AddressOf(owner) : null);
                    return;
                }

                queue.Enqueue(receiver, envelope);
            }

            public bool TryDequeue(out Envelope envelope) => queue.TryDequeue(out envelope);

            public void CleanUp(IActorRef owner, IMessageQueue deadletters) => queue.CleanUp(owner, deadletters);
        }
    }
}

/// <summary>
/// Every failure restarts, and the shell decides what follows: back-off, pause or end. What cannot even be made (a plugin that does not load) stops:
/// a restart would come at once and for ever.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
internal sealed class AlwaysRestart : SupervisorStrategyConfigurator
{
    public static SupervisorStrategy Strategy { get; } = new OneForOneStrategy(e => e is ActorInitializationException ? Directive.Stop : Directive.Restart, false);

    public override SupervisorStrategy Create() => Strategy;
}
