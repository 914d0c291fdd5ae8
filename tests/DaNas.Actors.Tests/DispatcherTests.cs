using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Drills;
using DaNas.Simulation;

namespace DaNas.Actors.Tests;

/// <summary>The dispatcher's promises to searches and trainers.</summary>
public sealed class DispatcherTests : DispatcherBench
{
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
        DispatchProtocol.RunAttempt another = first with { Attempt = 3, Lease = first.Lease + 2 };
        for (int i = 0; i < 2; i++)
            End("trainer-0", another, 0.7);
        toSearch.OfType<DispatchProtocol.LateResult>().Skip(1).ShouldHaveSingleItem().First.ShouldNotBeNull(); // One that differs neither.
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
        Ready("trainer-0", "x/derive/0", 0, lease: 5);
        Ready("trainer-1", null, 0);
        Submit();
        Pass(3);
        toTrainers.Values.ShouldAllBe(t => t.Count == 0);
        End("trainer-0", new DispatchProtocol.RunAttempt("x", Unit, 4, 1) { Lease = 5 }, 0.5);
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(1);
    }

    /// <summary>
    /// Attempts are numbered from 1 by each dispatcher, and again when a unit comes back: what is told twice of one must not count for its
    /// namesake.
    /// </summary>
    [Theory]
    [InlineData(FailureKind.Deadline)]
    [InlineData(FailureKind.MissingBlob)]
    public void A_failure_that_is_told_twice_counts_once_whoever_gave_the_attempt(FailureKind kind)
    {
        DispatchProtocol.RunAttempt former = new("x", Unit, 1, 1) { Lease = 7 };
        UnitOutcome failed = new UnitOutcome.Failed(kind, "on purpose", 600);
        End("trainer-0", former, failed); // Before anybody asks for it.
        Ready("trainer-0", null, 0);
        Submit();
        End("trainer-0", former, failed);
        DispatchProtocol.RunAttempt first = toTrainers["trainer-0"].ShouldHaveSingleItem();
        first.Attempt.ShouldBe(1);
        toSearch.OfType<DispatchProtocol.UnitFailed>().ShouldBeEmpty();
        End("trainer-0", first, failed);
        Submit();
        Ready("trainer-0", null, 0);
        End("trainer-0", first, failed);
        toTrainers["trainer-0"].Count.ShouldBe(2);
        toTrainers["trainer-0"].Select(r => r.Lease).Distinct().Count().ShouldBe(2);
        toSearch.OfType<DispatchProtocol.UnitFailed>().Count().ShouldBe(1);
    }

    [Fact]
    public void A_failure_of_an_earlier_attempt_does_not_end_one_that_a_new_dispatcher_found_running()
    {
        Submit();
        Ready("trainer-0", "x/derive/0", 0, lease: 9);
        End("trainer-0", new DispatchProtocol.RunAttempt("x", Unit, 1, 1) { Lease = 8 },
            new UnitOutcome.Failed(FailureKind.Deadline, "no result in time", 600));
        toSearch.OfType<DispatchProtocol.UnitFailed>().ShouldBeEmpty();
        End("trainer-0", new DispatchProtocol.RunAttempt("x", Unit, 1, 1) { Lease = 9 },
            new UnitOutcome.Failed(FailureKind.Deadline, "no result in time", 600));
        toSearch.OfType<DispatchProtocol.UnitFailed>().Count().ShouldBe(1);
    }

    [Fact]
    public void A_unit_that_takes_far_longer_than_its_kind_is_run_a_second_time_when_nothing_else_waits()
    {
        (DispatchProtocol.RunAttempt slow, DispatchProtocol.RunAttempt second) = RunTwice();
        int done = toSearch.OfType<DispatchProtocol.UnitDone>().Count();
        End("trainer-1", second, 0.5);
        End("trainer-0", slow, 0.5);
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(done + 1);
        toSearch.OfType<DispatchProtocol.LateResult>().ShouldHaveSingleItem().First.ShouldBeNull();
    }

    [Fact]
    public void A_failure_is_told_with_the_number_of_the_attempt_that_failed()
    {
        (DispatchProtocol.RunAttempt slow, DispatchProtocol.RunAttempt second) = RunTwice();
        End("trainer-0", slow, new UnitOutcome.Failed(FailureKind.EngineError, "x", 1));
        End("trainer-1", second, new UnitOutcome.Failed(FailureKind.EngineError, "x", 1));
        toSearch.OfType<DispatchProtocol.UnitFailed>().Select(f => f.Attempt).ShouldBe([1, 2]);
    }

    /// <summary>A unit that takes far longer than its kind, and its second attempt beside it.</summary>
    private (DispatchProtocol.RunAttempt Slow, DispatchProtocol.RunAttempt Second) RunTwice()
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
        return (slow, second);
    }

    [Fact]
    public void A_unit_that_is_lost_again_and_again_waits_longer_and_is_said_aloud()
    {
        Submit();
        for (int i = 0; i < 60 && !logged.Contains(LogEvent.DispatcherUnitUnlucky); i++)
        {
            Ready("trainer-0", null, 0);
            if (toTrainers["trainer-0"].LastOrDefault() is { } run)
                End("trainer-0", run, new UnitOutcome.Failed(FailureKind.ProcessLost, "killed", 1));
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
        SearchDecider.Decide(after, late).ShouldBeOfType<Decision.Accepted>().Events
            .OfType<SearchEvent.NondeterminismDetected>().ShouldBeEmpty();
    }
}
