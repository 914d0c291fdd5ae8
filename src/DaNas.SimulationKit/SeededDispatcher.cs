using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;

namespace DaNas.SimulationKit;

/// <summary>Runs nothing itself: mailboxes that can run are kept for the world, which draws one of them at a time.</summary>
internal sealed class SeededDispatcher : MessageDispatcher
{
    private readonly SimulatedNode node;
    private readonly int incarnation;
    private readonly Dictionary<Mailbox, long> orders = new(ReferenceEqualityComparer.Instance);

    public SeededDispatcher(MessageDispatcherConfigurator configurator, SimulatedNode node)
        : base(configurator)
    {
        this.node = node;
        incarnation = node.Incarnation;
        Id = configurator.Config.GetString("id", "simulated");
        Throughput = 1;
        ThroughputDeadlineTime = 1; // Passed by any clock: without it Akka's mailbox takes two messages a turn.
    }

    public override void Dispatch(ActorCell cell, Envelope envelope)
    {
        node.World.History.Add(WrappedMessage.Unwrap(envelope.Message).GetType());
        base.Dispatch(cell, envelope);
    }

    protected override void ExecuteTask(IRunnable run)
    {
        long order;
        if (run is not Mailbox mailbox)
            order = node.NextOrder();
        else if (!orders.TryGetValue(mailbox, out order))
            orders[mailbox] = order = node.NextOrder();
        node.Enqueue(incarnation, order, run);
    }

    protected override void Shutdown()
    {
        // It has no threads.
    }
}
