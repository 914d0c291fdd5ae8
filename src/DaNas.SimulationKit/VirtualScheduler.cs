using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace DaNas.SimulationKit;

/// <summary>Akka's scheduler over the world's agenda, with the node's clock.</summary>
public sealed class VirtualScheduler(Config scheduler, ILoggingAdapter log) : SchedulerBase(scheduler, log)
{
    private readonly SimulatedNode node = SimulatedNode.Starting;

    public override TimeSpan MonotonicClock => node.World.Elapsed;

    public override TimeSpan HighResMonotonicClock => node.World.Elapsed;

    protected override DateTimeOffset TimeNow => node.Now;

    protected override void InternalScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender,
        ICancelable cancelable) =>
        Once(delay, () => Tell(receiver, message, sender), cancelable);

    protected override void InternalScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message,
        IActorRef sender, ICancelable cancelable) =>
        Repeatedly(initialDelay, interval, () => Tell(receiver, message, sender), cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) => Once(delay, action, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        Once(delay, action.Run, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        Repeatedly(initialDelay, interval, action, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action,
        ICancelable cancelable) =>
        Repeatedly(initialDelay, interval, action.Run, cancelable);

    private void Tell(ICanTell receiver, object message, IActorRef sender)
    {
        if (node.World.LosesScheduled?.Invoke(WrappedMessage.Unwrap(message)) != true)
            receiver.Tell(message, sender);
    }

    private void Once(TimeSpan delay, Action action, ICancelable? cancelable) => node.After(delay, () =>
    {
        if (cancelable is not { IsCancellationRequested: true })
            action();
    });

    private void Repeatedly(TimeSpan delay, TimeSpan interval, Action action, ICancelable? cancelable) => node.After(delay, () =>
    {
        if (cancelable is { IsCancellationRequested: true })
            return;
        action();
        Repeatedly(interval, interval, action, cancelable);
    });
}
