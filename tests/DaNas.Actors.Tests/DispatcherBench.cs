using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Simulation;
using DaNas.SimulationKit;

namespace DaNas.Actors.Tests;

/// <summary>A dispatcher between two made-up trainers and a made-up search, in virtual time.</summary>
public abstract class DispatcherBench
{
    private protected static readonly WorkUnit Unit = new WorkUnit.EvaluateArchitecture("derive/0", 1, 0, new("x", ["k3e3"]), null);

    private protected readonly SimulatedWorld world;
    private protected readonly SimulatedNode node;
    private protected readonly List<object> toSearch = [];
    private protected readonly Dictionary<string, List<DispatchProtocol.RunAttempt>> toTrainers = [];
    private protected readonly List<LogEvent> logged = [];

    private protected IActorRef dispatcher;

    protected DispatcherBench()
    {
        world = new SimulatedWorld(1);
        node = world.AddNode("n", SimulatedCluster.Configuration);
        node.Start(new StateLogSetup(new Heard(logged)));
        dispatcher = node.System.ActorOf(DispatcherActor.PropsOf(new DispatcherSettings(3, 10)), DispatcherActor.Name);
        Stub("search", (c, m) =>
        {
            if (m is DispatchProtocol.Submit)
                dispatcher.Tell(m, c.Self);
            else
                toSearch.Add(m);
        });
        foreach (string name in new[] { "trainer-0", "trainer-1" })
        {
            toTrainers[name] = [];
            Stub(name, (c, m) =>
            {
                if (m is DispatchProtocol.RunAttempt run)
                    toTrainers[name].Add(run);
                else
                    dispatcher.Tell(m, c.Self);
            });
        }
    }

    private protected IActorRef Stub(string name, Action<IActorContext, object> receive) =>
        node.System.ActorOf(Props.Create(() => new StubActor(receive)), name);

    private protected DispatchProtocol.RunAttempt Leased()
    {
        Ready("trainer-0", null, 0);
        Submit();
        return toTrainers["trainer-0"].ShouldHaveSingleItem();
    }

    private protected void Submit()
    {
        Tell("search", new DispatchProtocol.Submit("x", "akka://n/user/search", Unit, 1));
        Pass(0.1);
    }

    /// <summary>
    /// The first trainer's engine gives no sign of life for longer than it may; the second is idle, or busy with something.
    /// </summary>
    private protected void Silence(string? secondIsBusyWith)
    {
        for (int i = 1; i <= 12; i++)
        {
            Ready("trainer-0", "x/derive/0", i);
            if (toTrainers["trainer-1"].Count == 0)
                Ready("trainer-1", secondIsBusyWith, 0);
            Pass(1);
        }
    }

    private protected void Ready(string trainer, string? busyWith, double silent, long lease = 0)
    {
        Tell(trainer, new DispatchProtocol.TrainerReady(trainer[^1] - '0', busyWith, silent) { Lease = lease });
        Pass(0.01);
    }

    private protected void End(string trainer, DispatchProtocol.RunAttempt run, double accuracy)
    {
        UnitResult result = new UnitResult.ArchitectureEvaluated(run.Unit.Id, UnitCost.Zero, new Timing(2), accuracy, 1);
        End(trainer, run, new UnitOutcome.Completed(result));
    }

    private protected void End(string trainer, DispatchProtocol.RunAttempt run, UnitOutcome outcome)
    {
        Tell(trainer, new DispatchProtocol.AttemptEnded(trainer[^1] - '0', run.Search, run.Unit.Id, run.Attempt,
            outcome)
        { Lease = run.Lease });
        Pass(0.1);
    }

    private protected void Tell(string actor, object message) =>
        ((ExtendedActorSystem)node.System).Provider.ResolveActorRef($"akka://n/user/{actor}").Tell(message, ActorRefs.NoSender);

    private protected void Pass(double seconds)
    {
        TimeSpan until = world.Elapsed + TimeSpan.FromSeconds(seconds);
        world.After(TimeSpan.FromSeconds(seconds), () => { });
        world.RunUntil(() => world.Elapsed >= until, until + TimeSpan.FromSeconds(1));
    }

    private sealed class Heard(List<LogEvent> logged) : IStateLog
    {
        public void Write(string actor, DateTimeOffset at, StateChange change) => logged.Add(change.Event);
    }

    private sealed class StubActor : ReceiveActor
    {
        public StubActor(Action<IActorContext, object> receive) => ReceiveAny(m => receive(Context, m));
    }
}
