using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Domain.Work;
using DaNas.Ports;

namespace DaNas.Actors.Trainers;

/// <summary>One device: runs one unit at a time through its engine's port, off the actor threads, and reports with its attempt.</summary>
public sealed class TrainerActor(int number) : IActor
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    private DispatchProtocol.RunAttempt? running;
    private long highestEpoch;

    public static string NameOf(int number) => $"trainer-{number}";

    public void Started(IActorContext context) => Announce(context);

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case HeartbeatTick:
                Announce(context);
                break;
            case DispatchProtocol.RunAttempt m when m.Epoch < highestEpoch:
                Refuse(context, m, $"epoch {m.Epoch} is older than {highestEpoch}: a former writer");
                break;
            case DispatchProtocol.RunAttempt m when running is not null:
                Refuse(context, m, $"busy with {running.Unit.Id}");
                break;
            case DispatchProtocol.RunAttempt m:
                highestEpoch = m.Epoch;
                running = m;
                context.Log(Line("Idle", "Running", m));
                context.Run(Ports.Engine(number), m.Unit);
                break;
            case PortReply m when running is not null && ReferenceEquals(m.Request, running.Unit):
                DispatchProtocol.RunAttempt ended = running;
                running = null;
                context.Log(Line("Running", "Idle", ended));
                Report(context, ended, m.Reply as UnitOutcome ?? new UnitOutcome.Failed(FailureKind.EngineError, m.Failure ?? "the engine gave no outcome", 0));
                break;
        }
    }

    private void Announce(IActorContext context)
    {
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.TrainerReady(number, running?.Unit.Id));
        context.StartTimer("heartbeat", Heartbeat, new HeartbeatTick());
    }

    private void Refuse(IActorContext context, DispatchProtocol.RunAttempt m, string why) =>
        Report(context, m, new UnitOutcome.Failed(FailureKind.Cancelled, why, 0));

    private void Report(IActorContext context, DispatchProtocol.RunAttempt attempt, UnitOutcome outcome) =>
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.AttemptEnded(number, attempt.Unit.Id, attempt.Attempt, outcome));

    private static StateChange Line(string from, string to, DispatchProtocol.RunAttempt m) =>
        new(LogEvent.TrainerChanged, from, to) { Unit = m.Unit.Id, Attempt = m.Attempt };

    private sealed record HeartbeatTick;
}
