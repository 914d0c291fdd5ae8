using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Domain.Faults;
using DaNas.Ports;

namespace DaNas.Actors.Trainers;

/// <summary>
/// One device: runs one unit at a time through its engine's port, off the actor threads, and reports with its attempt. Four times a second it
/// tells the dispatcher that it is there, what it does, and for how long its engine has given no sign of life.
/// </summary>
public sealed class TrainerActor(int number, TrainerMemory? kept = null) : IActor
{
    /// <summary>Results kept for a dispatcher that knows nothing of them.</summary>
    private const int Remembered = 16;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(250);

    private readonly TrainerMemory memory = kept ?? new TrainerMemory();
    private DispatchProtocol.RunAttempt? request;
    private double silentSeconds;

    public static string NameOf(int number) => $"trainer-{number}";

    /// <summary>What runs in this process already goes on: its port answers whoever asks for the same unit.</summary>
    public void Started(IActorContext context)
    {
        if (memory.Running is { } unfinished)
        {
            request = unfinished;
            context.Run(Ports.Engine(number), unfinished);
        }

        memory.Unnoted.Clear();
        memory.Unnoted.AddRange(memory.Recent);
        Announce(context);
    }

    public void Receive(IActorContext context, object message)
    {
        switch (message)
        {
            case HeartbeatTick:
                Announce(context);
                break;
            case DispatchProtocol.RunAttempt m when m.Epoch < memory.HighestEpochs.GetValueOrDefault(m.Search):
                Refuse(context, m, $"epoch {m.Epoch} is older than {memory.HighestEpochs[m.Search]}: a former writer");
                break;
            case DispatchProtocol.RunAttempt m when memory.Running is not null && memory.Running.Unit.Id == m.Unit.Id && memory.Running.Search == m.Search:
                memory.HighestEpochs[m.Search] = m.Epoch;
                memory.Running = m with { Unit = memory.Running.Unit }; // The same work: it answers the newer attempt.
                break;
            case DispatchProtocol.RunAttempt m when memory.Running is not null:
                Refuse(context, m, $"busy with {memory.Running.Unit.Id}");
                break;
            case DispatchProtocol.RunAttempt m:
                memory.HighestEpochs[m.Search] = m.Epoch;
                memory.Running = m;
                request = m;
                silentSeconds = 0;
                context.Log(Line("Idle", "Running", m));
                context.Run(Ports.Engine(number), m);
                break;
            case DispatchProtocol.AttemptNoted m:
                memory.Unnoted.RemoveAll(e => e.Search == m.Search && e.Unit == m.Unit && e.Attempt == m.Attempt);
                break;
            case DispatcherChanged:
                memory.Unnoted.Clear();
                memory.Unnoted.AddRange(memory.Recent); // A new dispatcher knows of none; what was stored already, it never asks for.
                Announce(context);
                break;
            case PortReply { Reply: double seconds } m when m.Port == Ports.Pulse(number):
                silentSeconds = seconds;
                break;
            case PortReply m when memory.Running is not null && ReferenceEquals(m.Request, request):
                DispatchProtocol.RunAttempt ended = memory.Running;
                memory.Running = null;
                silentSeconds = 0;
                context.Log(Line("Running", "Idle", ended));
                Report(context, ended, m.Reply as UnitOutcome ?? new UnitOutcome.Failed(FailureKind.EngineError, m.Failure ?? "the engine gave no outcome", 0));
                break;
        }
    }

    private void Announce(IActorContext context)
    {
        string? busyWith = memory.Running is null ? null : DispatchItem.KeyOf(memory.Running.Search, memory.Running.Unit.Id);
        context.Tell(context.Resolve(Roles.Dispatcher), new DispatchProtocol.TrainerReady(number, busyWith, silentSeconds));
        if (memory.Running is not null)
            context.Run(Ports.Pulse(number), memory.Running.Unit.Id);
        foreach (DispatchProtocol.AttemptEnded ended in memory.Unnoted)
            context.Tell(context.Resolve(Roles.Dispatcher), ended);
        context.StartTimer("heartbeat", Heartbeat, new HeartbeatTick());
    }

    private void Refuse(IActorContext context, DispatchProtocol.RunAttempt m, string why) =>
        Report(context, m, new UnitOutcome.Failed(FailureKind.Cancelled, why, 0));

    /// <summary>Tells how an attempt ended, again and again until that is noted.</summary>
    private void Report(IActorContext context, DispatchProtocol.RunAttempt attempt, UnitOutcome outcome)
    {
        DispatchProtocol.AttemptEnded ended = new(number, attempt.Search, attempt.Unit.Id, attempt.Attempt, outcome);
        Keep(memory.Unnoted, ended);
        if (outcome is UnitOutcome.Completed)
        {
            memory.Recent.Enqueue(ended);
            if (memory.Recent.Count > Remembered)
                memory.Recent.Dequeue();
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

/// <summary>What a trainer must not forget when its actor is made anew in the same process: what it runs, and what it has told.</summary>
public sealed class TrainerMemory
{
    internal Dictionary<string, long> HighestEpochs { get; } = new(StringComparer.Ordinal);

    internal Queue<DispatchProtocol.AttemptEnded> Recent { get; } = new();

    internal List<DispatchProtocol.AttemptEnded> Unnoted { get; } = [];

    internal DispatchProtocol.RunAttempt? Running { get; set; }
}
