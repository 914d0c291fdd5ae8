using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Actors.Simulated;
using DaNas.Cli.Verbs;
using DaNas.Domain.Faults;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Ports;

namespace DaNas.Actors.Tests;

/// <summary>The dispatcher between made-up trainers and a made-up search, in virtual time.</summary>
public sealed class DispatcherTests
{
    private static readonly WorkUnit Unit = new WorkUnit.EvaluateArchitecture("derive/0", 1, 0, new("x", ["k3e3"]), null);

    private readonly SimulatedWorld world;
    private readonly SimulatedNode node;
    private readonly List<object> toSearch = [];
    private readonly Dictionary<string, List<DispatchProtocol.RunAttempt>> toTrainers = [];
    private readonly List<LogEvent> logged = [];

    public DispatcherTests()
    {
        world = new SimulatedWorld(1, new Heard(logged));
        node = world.AddNode("n");
        world.PlayRole(Roles.Dispatcher, node.Spawn("dispatcher", () => new DispatcherActor(new DispatcherSettings(3, 10))));
        node.Spawn("search", () => new Stub((c, m) =>
        {
            if (m is DispatchProtocol.Submit)
                c.Tell(c.Resolve(Roles.Dispatcher), m);
            else
                toSearch.Add(m);
        }));
        foreach (string name in new[] { "trainer-0", "trainer-1" })
        {
            toTrainers[name] = [];
            node.Spawn(name, () => new Stub((c, m) =>
            {
                if (m is DispatchProtocol.RunAttempt run)
                    toTrainers[name].Add(run);
                else
                    c.Tell(c.Resolve(Roles.Dispatcher), m);
            }));
        }
    }

    [Fact]
    public void A_late_result_that_is_equal_is_lost_work_and_one_that_differs_is_nondeterminism()
    {
        DispatchProtocol.RunAttempt first = Leased();
        Silence(null);
        toTrainers["trainer-1"].Count.ShouldBe(1);
        End("trainer-1", toTrainers["trainer-1"][0], 0.5);
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(1);
        End("trainer-0", first, 0.5);
        DispatchProtocol.LateResult late = toSearch.OfType<DispatchProtocol.LateResult>().ShouldHaveSingleItem();
        late.First.ShouldBeNull();
        late.LostSeconds.ShouldBe(2);
        End("trainer-0", first, 0.5);
        toSearch.OfType<DispatchProtocol.LateResult>().Count().ShouldBe(1); // The same message again is not counted again.
        End("trainer-0", first, 0.7);
        toSearch.OfType<DispatchProtocol.LateResult>().Last().First.ShouldNotBeNull();
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(1);
    }

    [Fact]
    public void A_silent_trainers_result_counts_when_nobody_else_was_first()
    {
        DispatchProtocol.RunAttempt first = Leased();
        Silence("other/work");
        toTrainers["trainer-1"].ShouldBeEmpty();
        logged.ShouldContain(LogEvent.DispatcherTrainerSilent);
        End("trainer-0", first, 0.5);
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(1);
    }

    [Fact]
    public void A_unit_taken_from_a_silent_trainer_does_not_go_back_to_it_because_it_is_still_busy_with_it()
    {
        Leased();
        for (int i = 1; i <= 30; i++)
        {
            Ready("trainer-0", "x/derive/0", i);
            Pass(1);
        }

        toTrainers["trainer-0"].Count.ShouldBe(1);
        toSearch.OfType<DispatchProtocol.UnitFailed>().Count().ShouldBe(1);
        Ready("trainer-1", null, 0);
        Pass(1);
        toTrainers["trainer-1"].Count.ShouldBe(1);
    }

    [Fact]
    public void A_new_dispatcher_leaves_a_unit_with_the_trainer_that_runs_it_already()
    {
        Ready("trainer-0", "x/derive/0", 0);
        Ready("trainer-1", null, 0);
        Submit();
        Pass(3);
        toTrainers.Values.ShouldAllBe(t => t.Count == 0);
        End("trainer-0", new DispatchProtocol.RunAttempt("x", Unit, 4, 1), 0.5);
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(1);
    }

    [Fact]
    public void A_node_that_is_drained_gets_nothing_more_and_a_quarantined_one_loses_what_it_has()
    {
        node.Tell(world.Resolve(Roles.Dispatcher), new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Draining));
        Pass(0.1);
        Ready("trainer-0", null, 0);
        Submit();
        toTrainers["trainer-0"].ShouldBeEmpty();
        node.Tell(world.Resolve(Roles.Dispatcher), new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Active));
        Pass(0.1);
        Ready("trainer-0", null, 0);
        toTrainers["trainer-0"].Count.ShouldBe(1);
        node.Tell(world.Resolve(Roles.Dispatcher), new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Quarantined));
        Pass(0.1);
        Ready("trainer-0", "x/derive/0", 0);
        Pass(5);
        toTrainers["trainer-0"].Count.ShouldBe(1);
        toSearch.OfType<DispatchProtocol.UnitFailed>().Count().ShouldBe(1);
    }

    [Fact]
    public void A_unit_that_takes_far_longer_than_its_kind_is_run_a_second_time_when_nothing_else_waits()
    {
        for (int i = 0; i < 4; i++)
        {
            Ready("trainer-0", null, 0);
            Tell("search", new DispatchProtocol.Submit("x", "//n/search", Unit with { Id = $"derive/{i + 1}" }, 1));
            Pass(0.1);
            End("trainer-0", toTrainers["trainer-0"][^1], 0.5);
        }

        Ready("trainer-0", null, 0);
        Submit();
        Pass(0.1);
        DispatchProtocol.RunAttempt slow = toTrainers["trainer-0"][^1];
        for (int i = 0; i < 16; i++)
        {
            Ready("trainer-0", "x/derive/0", 0);
            Ready("trainer-1", toTrainers["trainer-1"].Count > 0 ? "x/derive/0" : null, 0);
            Pass(1);
        }

        DispatchProtocol.RunAttempt second = toTrainers["trainer-1"].ShouldHaveSingleItem();
        second.Unit.Id.ShouldBe(slow.Unit.Id);
        second.Attempt.ShouldBe(slow.Attempt + 1);
        int done = toSearch.OfType<DispatchProtocol.UnitDone>().Count();
        End("trainer-1", second, 0.5);
        End("trainer-0", slow, 0.5);
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(done + 1);
        toSearch.OfType<DispatchProtocol.LateResult>().ShouldHaveSingleItem().First.ShouldBeNull();
    }

    [Fact]
    public void A_searchs_own_bounds_count_and_no_others()
    {
        Tell("dispatcher", new DispatchProtocol.SetBounds("x", 1, 4));
        Leased();
        for (int i = 1; i <= 6; i++)
        {
            Ready("trainer-0", "x/derive/0", i);
            Ready("trainer-1", toTrainers["trainer-1"].Count > 0 ? "x/derive/0" : null, 0);
            Pass(1);
        }

        DispatchProtocol.RunAttempt again = toTrainers["trainer-1"].ShouldHaveSingleItem(); // After 4 s, not 10.
        Tell("trainer-1", new DispatchProtocol.AttemptEnded(1, again.Search, again.Unit.Id, again.Attempt, new UnitOutcome.Failed(FailureKind.EngineError, "x", 1)));
        Pass(0.1);
        toSearch.OfType<DispatchProtocol.UnitFailed>().Last().Exhausted.ShouldBeTrue(); // One failure, not three.
    }

    [Fact]
    public void A_unit_that_finds_too_little_memory_goes_to_another_trainer_where_there_is_one()
    {
        DispatchProtocol.RunAttempt first = Leased();
        Ready("trainer-1", "other/work", 0);
        Tell("trainer-0", new DispatchProtocol.AttemptEnded(0, first.Search, first.Unit.Id, first.Attempt, new UnitOutcome.Failed(FailureKind.OutOfMemory, "x", 1)));
        Ready("trainer-0", null, 0);
        Pass(1);
        toTrainers["trainer-0"].Count.ShouldBe(1);
        Ready("trainer-1", null, 0);
        DispatchProtocol.RunAttempt second = toTrainers["trainer-1"].ShouldHaveSingleItem();
        Tell("trainer-1", new DispatchProtocol.AttemptEnded(1, second.Search, second.Unit.Id, second.Attempt, new UnitOutcome.Failed(FailureKind.OutOfMemory, "x", 1)));
        Ready("trainer-1", null, 0);
        toTrainers["trainer-1"].Count.ShouldBe(2); // Nobody is left who has not tried: where it was tried last, it is tried again.
    }

    [Fact]
    public void Busy_trainers_are_counted_by_host()
    {
        List<object> heard = [];
        node.Spawn("asker", () => new Stub((c, m) =>
        {
            if (m is DispatchProtocol.CountBusy)
                c.Tell(c.Resolve(Roles.Dispatcher), m);
            else
                heard.Add(m);
        }));
        Leased();
        Tell("asker", new DispatchProtocol.CountBusy());
        Pass(0.1);
        heard.OfType<DispatchProtocol.Busy>().ShouldHaveSingleItem().ByHost.ShouldBe([new Actors.Cluster.HostLoad("n", 1)]);
    }

    [Fact]
    public void A_unit_that_is_lost_again_and_again_waits_longer_and_is_said_aloud()
    {
        Submit();
        for (int i = 0; i < 60 && !logged.Contains(LogEvent.DispatcherUnitUnlucky); i++)
        {
            Ready("trainer-0", null, 0);
            if (toTrainers["trainer-0"].LastOrDefault() is { } run)
                Tell("trainer-0", new DispatchProtocol.AttemptEnded(0, run.Search, run.Unit.Id, run.Attempt, new UnitOutcome.Failed(FailureKind.ProcessLost, "killed", 1)));
            Pass(1);
        }

        logged.ShouldContain(LogEvent.DispatcherUnitUnlucky);
        toSearch.OfType<DispatchProtocol.UnitFailed>().ShouldAllBe(f => !f.Exhausted);
    }

    [Fact]
    public void Two_results_that_differ_are_recorded_once()
    {
        (SimulatedSearch search, _) = SimulationSuite.Make(0, 0);
        SearchState state = SearchEvolver.Evolve(SearchState.Initial, search.First);
        SearchCommand late = new SearchCommand.RecordLateResult("difficulty/0/0", 1, 3, "aaa", "bbb");
        Decision.Accepted accepted = SearchDecider.Decide(state, late).ShouldBeOfType<Decision.Accepted>();
        accepted.Events.OfType<SearchEvent.NondeterminismDetected>().Count().ShouldBe(1);
        SearchState after = accepted.Events.Aggregate(state, SearchEvolver.Evolve);
        after.Nondeterministic.ShouldBe(["difficulty/0/0"]);
        after.DecisionHash.ShouldBe(state.DecisionHash);
        after.LostSeconds.ShouldBe(3);
        SearchDecider.Decide(after, late).ShouldBeOfType<Decision.Accepted>().Events.OfType<SearchEvent.NondeterminismDetected>().ShouldBeEmpty();
    }

    private DispatchProtocol.RunAttempt Leased()
    {
        Ready("trainer-0", null, 0);
        Submit();
        return toTrainers["trainer-0"].ShouldHaveSingleItem();
    }

    private void Submit()
    {
        Tell("search", new DispatchProtocol.Submit("x", "//n/search", Unit, 1));
        Pass(0.1);
    }

    /// <summary>The first trainer's engine gives no sign of life for longer than it may; the second is idle, or busy with something.</summary>
    private void Silence(string? secondIsBusyWith)
    {
        for (int i = 1; i <= 12; i++)
        {
            Ready("trainer-0", "x/derive/0", i);
            if (toTrainers["trainer-1"].Count == 0)
                Ready("trainer-1", secondIsBusyWith, 0);
            Pass(1);
        }
    }

    private void Ready(string trainer, string? busyWith, double silent)
    {
        Tell(trainer, new DispatchProtocol.TrainerReady(trainer[^1] - '0', busyWith, silent));
        Pass(0.01);
    }

    private void End(string trainer, DispatchProtocol.RunAttempt run, double accuracy)
    {
        UnitResult result = new UnitResult.ArchitectureEvaluated(run.Unit.Id, UnitCost.Zero, new Timing(2), accuracy, 1);
        Tell(trainer, new DispatchProtocol.AttemptEnded(0, run.Search, run.Unit.Id, run.Attempt, new UnitOutcome.Completed(result)));
        Pass(0.1);
    }

    private void Tell(string actor, object message) => node.Tell(new ActorAddress($"//n/{actor}"), message);

    private void Pass(double seconds)
    {
        TimeSpan until = world.Elapsed + TimeSpan.FromSeconds(seconds);
        world.After(TimeSpan.FromSeconds(seconds), () => { });
        world.RunUntil(() => world.Elapsed >= until, until + TimeSpan.FromSeconds(1));
    }

    private sealed class Heard(List<LogEvent> logged) : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change) => logged.Add(change.Event);
    }

    private sealed class Stub(Action<IActorContext, object> receive) : IActor
    {
        public void Receive(IActorContext context, object message) => receive(context, message);
    }
}
