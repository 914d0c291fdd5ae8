using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;

namespace DaNas.Actors.Trainers;

/// <summary>
/// One device: runs one unit at a time, off the actor threads, and reports with its attempt. Four times a second it tells the dispatcher
/// that it is there, what it does, and for how long its engine has given no sign of life.
/// </summary>
public sealed class TrainerActor : LoggedActor, IWithTimers
{
    /// <summary>Results kept for a dispatcher that knows nothing of them.</summary>
    private const int Remembered = 16;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(250);

    private readonly int number;
    private readonly IAttemptRunner runner;
    private readonly TrainerMemory memory;
    private readonly Func<IActorRef> dispatcher;
    private DispatchProtocol.RunAttempt? request;

    public TrainerActor(int number, IAttemptRunner runner, Func<IActorRef> dispatcher, TrainerMemory memory)
    {
        this.number = number;
        this.runner = runner;
        this.dispatcher = dispatcher;
        this.memory = memory;
        Receive<HeartbeatTick>(_ => Announce());
        Receive<DispatchProtocol.RunAttempt>(Run);
        Receive<DispatchProtocol.AttemptNoted>(m =>
        {
            // What a former dispatcher noted, the present one has not heard.
            if (Sender.Host(Context.System) == dispatcher().Host(Context.System))
                memory.Unnoted.RemoveAll(e => e.Lease == m.Lease);
        });
        Receive<DispatcherChanged>(_ =>
        {
            RememberAll(); // A new dispatcher knows of none; what was stored already, it never asks for.
            Announce();
        });
        Receive<Ran>(m => memory.Running is not null && ReferenceEquals(m.Request, request), m =>
        {
            DispatchProtocol.RunAttempt ended = memory.Running!;
            memory.Running = null;
            Context.Write(Line("Running", "Idle", ended));
            Report(ended, m.Outcome);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static string NameOf(int number) => $"trainer-{number}";

    /// <summary>What runs in this process already goes on: its port answers whoever asks for the same unit.</summary>
    protected override void PreStart()
    {
        Timers.StartPeriodicTimer("heartbeat", HeartbeatTick.Instance, Heartbeat);
        if (memory.Running is { } unfinished)
            Begin(unfinished);
        RememberAll();
        Announce();
    }

    private void Run(DispatchProtocol.RunAttempt m)
    {
        if (m.Epoch < memory.HighestEpochs.GetValueOrDefault(m.Search))
        {
            Refuse(m, $"epoch {m.Epoch} is older than {memory.HighestEpochs[m.Search]}: the sender is a superseded writer");
        }
        else if (memory.Running is { } running && running.Unit.Id == m.Unit.Id && running.Search == m.Search)
        {
            memory.HighestEpochs[m.Search] = m.Epoch;
            memory.Running = m with { Unit = running.Unit }; // The same work: it answers the attempt that was given last.
        }
        else if (memory.Running is not null)
        {
            Refuse(m, $"busy with {memory.Running.Unit.Id}");
        }
        else
        {
            memory.HighestEpochs[m.Search] = m.Epoch;
            memory.Running = m;
            Context.Write(Line("Idle", "Running", m));
            Begin(m);
        }
    }

    private void Begin(DispatchProtocol.RunAttempt attempt)
    {
        request = attempt;
        runner.RunAsync(attempt).PipeTo(Self, Self, o => new Ran(attempt, o),
            e => new Ran(attempt, new UnitOutcome.Failed(FailureKind.EngineError, e.Message, 0)));
    }

    private void RememberAll()
    {
        memory.Unnoted.RemoveAll(e => e.Outcome is UnitOutcome.Completed);
        memory.Unnoted.AddRange(memory.Recent);
    }

    private void Announce()
    {
        string? busyWith = memory.Running is null ? null : DispatchItem.KeyOf(memory.Running.Search, memory.Running.Unit.Id);
        IActorRef to = dispatcher();
        // First: who hears that it is idle would give it again what it has done.
        foreach (DispatchProtocol.AttemptEnded ended in memory.Unnoted)
            to.Tell(ended);
        to.Tell(new DispatchProtocol.TrainerReady(number, busyWith, memory.Running is null
            ? 0 : runner.SilentSeconds)
        { Lease = memory.Running?.Lease ?? 0 });
    }

    private void Refuse(DispatchProtocol.RunAttempt m, string why) =>
        Report(m, new UnitOutcome.Failed(FailureKind.Cancelled, why, 0));

    /// <summary>Tells how an attempt ended, again and again until that is noted.</summary>
    private void Report(DispatchProtocol.RunAttempt attempt, UnitOutcome outcome)
    {
        DispatchProtocol.AttemptEnded ended = new(number, attempt.Search, attempt.Unit.Id, attempt.Attempt,
            outcome)
        { Lease = attempt.Lease };
        Keep(memory.Unnoted, ended);
        if (outcome is UnitOutcome.Completed)
        {
            memory.Recent.Enqueue(ended);
            if (memory.Recent.Count > Remembered)
                memory.Recent.Dequeue();
        }

        dispatcher().Tell(ended);
    }

    private static void Keep(List<DispatchProtocol.AttemptEnded> list, DispatchProtocol.AttemptEnded ended)
    {
        list.Add(ended);
        if (list.Count > Remembered)
            list.RemoveAt(0);
    }

    private static StateChange Line(string from, string to, DispatchProtocol.RunAttempt m) =>
        new(LogEvent.TrainerChanged, from, to) { Search = m.Search, Unit = m.Unit.Id, Attempt = m.Attempt };

    /// <summary>
    /// <paramref name="dispatcher"/> is asked for each time: who leads may have changed, and a restarted actor must find it too.
    /// </summary>
    public static Props PropsOf(int number, IAttemptRunner runner, Func<IActorRef> dispatcher, TrainerMemory memory) =>
        Props.Create(() => new TrainerActor(number, runner, dispatcher, memory));

    /// <summary>Somebody else leads.</summary>
    public sealed record DispatcherChanged : INoSerializationVerificationNeeded;

    private sealed record HeartbeatTick
    {
        public static HeartbeatTick Instance { get; } = new();
    }

    private sealed record Ran(DispatchProtocol.RunAttempt Request, UnitOutcome Outcome) : INoSerializationVerificationNeeded;
}
