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
    /// <summary>Results kept for a dispatcher that knows nothing of them.</summary>
    private const int Remembered = 16;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, long> highestEpochs = new(StringComparer.Ordinal);
    private readonly Queue<DispatchProtocol.AttemptEnded> recent = new();
    private readonly List<DispatchProtocol.AttemptEnded> unnoted = [];
    private DispatchProtocol.RunAttempt? running;
    private DispatchProtocol.RunAttempt? request;
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
                request = m;
                silentSeconds = 0;
                context.Log(Line("Idle", "Running", m));
                context.Run(Ports.Engine(number), m);
                break;
            case DispatchProtocol.AttemptNoted m:
                unnoted.RemoveAll(e => e.Search == m.Search && e.Unit == m.Unit && e.Attempt == m.Attempt);
                break;
            case DispatcherChanged:
                unnoted.Clear();
                unnoted.AddRange(recent); // A new dispatcher knows of none; what was stored already, it never asks for.
                Announce(context);
                break;
            case PortReply { Reply: double seconds } m when m.Port == Ports.Pulse(number):
                silentSeconds = seconds;
                break;
            case PortReply m when running is not null && ReferenceEquals(m.Request, request):
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
        foreach (DispatchProtocol.AttemptEnded ended in unnoted)
            context.Tell(context.Resolve(Roles.Dispatcher), ended);
        context.StartTimer("heartbeat", Heartbeat, new HeartbeatTick());
    }

    private void Refuse(IActorContext context, DispatchProtocol.RunAttempt m, string why) =>
        Report(context, m, new UnitOutcome.Failed(FailureKind.Cancelled, why, 0));

    /// <summary>Tells how an attempt ended, again and again until that is noted.</summary>
    private void Report(IActorContext context, DispatchProtocol.RunAttempt attempt, UnitOutcome outcome)
    {
        DispatchProtocol.AttemptEnded ended = new(number, attempt.Search, attempt.Unit.Id, attempt.Attempt, outcome);
        Keep(unnoted, ended);
        if (outcome is UnitOutcome.Completed)
        {
            recent.Enqueue(ended);
            if (recent.Count > Remembered)
                recent.Dequeue();
        }

        context.Tell(context.Resolve(Roles.Dispatcher), ended);
    }

    private static void Keep(List<DispatchProtocol.AttemptEnded> list, DispatchProtocol.AttemptEnded ended)
    {
        list.Add(ended);
        if (list.Count > Remembered)
            list.RemoveAt(0);
    }

    private static StateChange Line(string from, string to, DispatchProtocol.RunAttempt m) =>
        new(LogEvent.TrainerChanged, from, to) { Search = m.Search, Unit = m.Unit.Id, Attempt = m.Attempt };

    /// <summary>The host has another address for the dispatcher.</summary>
    public sealed record DispatcherChanged;

    private sealed record HeartbeatTick;
}
