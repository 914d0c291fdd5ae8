using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Domain.Faults;
using DaNas.Ports;

namespace DaNas.Actors.Trainers;

/// <summary>
/// One device: runs one unit at a time through its engine's port, off the actor threads, and reports with its attempt. Each second it
/// tells the dispatcher that it is there, what it does, and for how long its engine has given no sign of life.
/// </summary>
public sealed class TrainerActor(int number) : IActor
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, long> highestEpochs = new(StringComparer.Ordinal);
    private DispatchProtocol.RunAttempt? running;
    private double silentSeconds;

    public static string NameOf(int number) => $"trainer-{number}";

    public void Started(IActorContext context) => Announce(context);

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case HeartbeatTick:
                Announce(context);
                break;
            case DispatchProtocol.RunAttempt m when m.Epoch < highestEpochs.GetValueOrDefault(m.Search):
                Refuse(context, m, $"epoch {m.Epoch} is older than {highestEpochs[m.Search]}: a former writer");
                break;
            case DispatchProtocol.RunAttempt m when running is not null && running.Unit.Id == m.Unit.Id && running.Search == m.Search:
                highestEpochs[m.Search] = m.Epoch;
                running = m with { Unit = running.Unit }; // The same work: it answers the newer attempt.
                break;
            case DispatchProtocol.RunAttempt m when running is not null:
                Refuse(context, m, $"busy with {running.Unit.Id}");
                break;
            case DispatchProtocol.RunAttempt m:
                highestEpochs[m.Search] = m.Epoch;
                running = m;
                silentSeconds = 0;
                context.Log(Line("Idle", "Running", m));
                context.Run(Ports.Engine(number), m.Unit);
                break;
            case PortReply { Reply: double seconds } m when m.Port == Ports.Pulse(number):
                silentSeconds = seconds;
                break;
            case PortReply m when running is not null && ReferenceEquals(m.Request, running.Unit):
                DispatchProtocol.RunAttempt ended = running;
                running = null;
                silentSeconds = 0;
                context.Log(Line("Running", "Idle", ended));
                Report(context, ended, m.Reply as UnitOutcome ?? new UnitOutcome.Failed(FailureKind.EngineError, m.Failure ?? "the engine gave no outcome", 0));
                break;
        }
    }

    private void Announce(IActorContext context)
    {
        string? busyWith = running is null ? null : DispatchItem.KeyOf(running.Search, running.Unit.Id);
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.TrainerReady(number, busyWith, silentSeconds));
        if (running is not null)
            context.Run(Ports.Pulse(number), running.Unit.Id);
        context.StartTimer("heartbeat", Heartbeat, new HeartbeatTick());
    }

    private void Refuse(IActorContext context, DispatchProtocol.RunAttempt m, string why) =>
        Report(context, m, new UnitOutcome.Failed(FailureKind.Cancelled, why, 0));

    private void Report(IActorContext context, DispatchProtocol.RunAttempt attempt, UnitOutcome outcome) =>
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.AttemptEnded(number, attempt.Search, attempt.Unit.Id, attempt.Attempt, outcome));

    private static StateChange Line(string from, string to, DispatchProtocol.RunAttempt m) =>
        new(LogEvent.TrainerChanged, from, to) { Search = m.Search, Unit = m.Unit.Id, Attempt = m.Attempt };

    private sealed record HeartbeatTick;
}
