using DaNas.Actors.Dispatch;
using DaNas.Actors.Trainers;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.SimulationKit;

namespace DaNas.Simulation;

/// <summary>
/// The engine behind one simulated trainer: an answer after a drawn time, read from blobs that must be there. It may be slow, die, or hang
/// until its deadline.
/// </summary>
public sealed class SimulatedEngine(SimulatedNode node, SimulatedSearch search, SimulatedBlobs blobs,
    Func<WorkUnit, double> seconds) : IAttemptRunner
{
    private const double DeadlineSeconds = 600;

    private Action? kill;
    private TimeSpan beganLast;

    /// <summary>How many times slower than usual.</summary>
    public double Slowness { get; set; } = 1;

    /// <summary>The next unit never ends by itself.</summary>
    public bool HangsNext { get; set; }

    /// <summary>Units begun, and seconds of those that ended with a result.</summary>
    public int Begun { get; private set; }

    public double UsefulSeconds { get; private set; }

    public double BusySeconds { get; private set; }

    /// <summary>The engine's process dies alone; its trainer starts another.</summary>
    public void Kill() => kill?.Invoke();

    /// <summary>Its whole process dies: what it was at is lost.</summary>
    public void Vanish()
    {
        if (kill is not null)
            BusySeconds += (node.World.Elapsed - beganLast).TotalSeconds;
        kill = null;
    }

    /// <inheritdoc/>
    public double SilentSeconds => 0;

    /// <inheritdoc/>
    public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt)
    {
        TaskCompletionSource<UnitOutcome> reply = new(); // Its continuations run at once, in the turn of the world that ends it.
        WorkUnit unit = attempt.Unit;
        Begun++;
        bool answered = false;
        TimeSpan began = beganLast = node.World.Elapsed;
        double takes = Math.Max(0.01, seconds(unit) * Slowness);
        bool hangs = HangsNext;
        HangsNext = false;
        kill = () => Answer(new UnitOutcome.Failed(FailureKind.ProcessLost, "the engine's process was killed (simulated)",
            (node.World.Elapsed - began).TotalSeconds));
        node.After(TimeSpan.FromSeconds(hangs ? DeadlineSeconds : takes), () =>
            Answer(hangs ? new UnitOutcome.Failed(FailureKind.Deadline, "no result in time (simulated)", DeadlineSeconds)
                : Outcome(unit, takes)));
        return reply.Task;

        void Answer(UnitOutcome outcome)
        {
            if (answered)
                return;
            answered = true;
            kill = null;
            double busy = (node.World.Elapsed - began).TotalSeconds;
            BusySeconds += busy;
            if (outcome is UnitOutcome.Completed)
                UsefulSeconds += busy;
            reply.SetResult(outcome);
        }
    }

    private UnitOutcome Outcome(WorkUnit unit, double takes)
    {
        if (blobs.Missing(unit) is { } missing)
            return new UnitOutcome.Failed(FailureKind.MissingBlob, $"blob {missing.Digest.Short} is missing (simulated)", 0, missing);
        UnitOutcome outcome = search.Answer(unit);
        if (outcome is not UnitOutcome.Completed completed)
            return outcome;
        if (UnitResult.OutputOf(completed.Result) is not { } output)
            return outcome;
        if (node.World.Store.IsFull)
            return new UnitOutcome.Failed(FailureKind.StorageUnavailable, "the disk is full (simulated)", takes);
        blobs.Put(output);
        return outcome;
    }
}
