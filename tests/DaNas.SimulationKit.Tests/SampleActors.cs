using Akka.Actor;

namespace DaNas.SimulationKit.Tests;

internal sealed record Add;

internal sealed record Report(Action<int> To);

internal sealed record Start;

internal sealed record Crash;

public sealed record Work;

public sealed record Done;

/// <summary>Takes 30 ms for an addition and stashes what comes meanwhile; a bounded one drops what its stash does not hold.</summary>
internal sealed class StashingActor : ReceiveActor, IWithStash, IWithTimers
{
    private readonly bool drops;
    private int count;

    public StashingActor(bool drops)
    {
        this.drops = drops;
        Idle();
    }

    public IStash Stash { get; set; } = null!;

    public ITimerScheduler Timers { get; set; } = null!;

    private void Idle()
    {
        Receive<Add>(_ =>
        {
            Timers.StartSingleTimer("ready", "ready", TimeSpan.FromMilliseconds(30));
            Become(Busy);
        });
        Receive<Report>(m => m.To(count));
    }

    private void Busy()
    {
        Receive<string>(_ =>
        {
            count++;
            Become(Idle);
            Stash.UnstashAll();
        });
        ReceiveAny(_ =>
        {
            try
            {
                Stash.Stash();
            }
            catch (StashOverflowException) when (drops)
            {
                // The planted defect: nobody asks again.
            }
        });
    }
}

/// <summary>Gives a job up after five seconds; a crash restarts it, and the job is forgotten.</summary>
internal sealed class JobActor : ReceiveActor, IWithTimers
{
    public JobActor(bool ofTheActor, Action began, Action givenUp)
    {
        Receive<Start>(_ =>
        {
            began();
            if (ofTheActor)
                Timers.StartSingleTimer("patience", "give up", TimeSpan.FromSeconds(5));
            else
#pragma warning disable AK1004 // The planted defect: it finds whoever lives under this reference then.
                Context.System.Scheduler.ScheduleTellOnce(TimeSpan.FromSeconds(5), Self, "give up", Self);
#pragma warning restore AK1004
        });
        Receive<Crash>(_ => throw new InvalidOperationException("on purpose"));
        Receive<string>(_ => givenUp());
    }

    public ITimerScheduler Timers { get; set; } = null!;
}

/// <summary>Does one piece of work, says so, and ends.</summary>
internal sealed class WorkerActor : ReceiveActor
{
    public WorkerActor() => Receive<Work>(_ =>
    {
        Sender.Tell(new Done());
        Context.Stop(Self);
    });
}

/// <summary>
/// Has one piece of work done elsewhere. An impatient one takes the worker's end for a failure at once, although its word may be on the
/// way.
/// </summary>
internal sealed class BossActor : ReceiveActor, IWithTimers
{
    public BossActor(string worker, bool patient, Action<string> verdict)
    {
        Receive<ActorIdentity>(m =>
        {
            Context.Watch(m.Subject);
            m.Subject.Tell(new Work());
        });
        Receive<Done>(_ => verdict("done"));
        Receive<Terminated>(_ => Timers.StartSingleTimer("late", "failed", patient ? TimeSpan.FromSeconds(20) : TimeSpan.Zero));
        Receive<string>(verdict);
        Context.ActorSelection(worker).Tell(new Identify(1), Self);
    }

    public ITimerScheduler Timers { get; set; } = null!;
}
