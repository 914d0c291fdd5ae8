using DaNas.Actors.Logging;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Drills;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.SimulationKit;

namespace DaNas.Actors.Tests;

/// <summary>Single rules of faults, each a defect that was found once.</summary>
public sealed class FaultRuleTests
{
    [Fact]
    public void A_search_that_stopped_because_no_block_could_be_blamed_goes_on_when_it_is_resumed()
    {
        (SimulatedSearch search, CleanRun clean) = SimulationSuite.Make(0, 0);
        int failures = 0;
        SimulatedSearch broken = search with
        {
            Answer = u => u.Id == "s1/r1/train/0" && failures++ == 0
                ? new UnitOutcome.Failed(FailureKind.EngineError, "a driver error", 0) : search.Answer(u),
        };
        List<SearchEvent> events = [];
        SearchState stopped = broken.RunClean([], (_, e) => events.Add(e)).State;
        stopped.Phase.ShouldBeOfType<SearchPhase.Failed>().Reason.ShouldContain("blame no block");
        events.AddRange(((Decision.Accepted)SearchDecider.Decide(stopped, new SearchCommand.Resume(2, "simulated", 0))).Events);
        SearchState end = broken.RunClean(events).State;
        end.Phase.ShouldBe(clean.State.Phase);
        end.DecisionHash.ShouldBe(clean.State.DecisionHash);
    }

    [Fact]
    public void A_round_that_diverged_and_is_reported_twice_is_rolled_back_once()
    {
        (SimulatedSearch search, _) = SimulationSuite.Make(0, 3);
        List<SearchEvent> events = [];
        search.RunClean([], (_, e) => events.Add(e));
        int at = events.FindIndex(e => e is SearchEvent.RolledBack);
        SearchState before = events.Take(at).Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        SearchPhase.Training training = before.Phase.ShouldBeOfType<SearchPhase.Training>();
        ValueList<UnitResult.ShardTrained> shards = OutstandingWork.Of(before)
            .Select(u => (UnitResult.ShardTrained)((UnitOutcome.Completed)search.Answer(u)).Result).ToValueList();
        SearchCommand command = new SearchCommand.CompleteRound(training.Stage.Index, training.Round, shards, null);
        Decision.Accepted first = SearchDecider.Decide(before, command).ShouldBeOfType<Decision.Accepted>();
        first.Events[0].ShouldBeOfType<SearchEvent.RolledBack>();
        SearchState after = first.Events.Aggregate(before, SearchEvolver.Evolve);
        SearchDecider.Decide(after, command).ShouldBeOfType<Decision.Ignored>();
    }

    [Fact]
    public void An_end_that_was_stored_and_reported_as_failed_is_told_all_the_same()
    {
        (SimulatedSearch search, CleanRun clean) = SimulationSuite.Make(1, 0);
        (SimulatedWorld world, SimulatedCluster cluster) = Cluster(search);
        world.Store.BlursOnce = a => a.Rows.Any(r => r.Manifest == "search-completed/1");
        world.RunUntil(() => cluster.IsOver, TimeSpan.FromHours(3)).ShouldBeTrue();
        world.Store.BlursOnce.ShouldBeNull();
        cluster.Checks.CompareWith(clean);
        cluster.Checks.Violations.ShouldBeEmpty();
    }

    [Fact]
    public void All_weights_gone_at_once_in_a_long_stage_are_made_again_in_few_steps()
    {
        (SimulatedSearch search, CleanRun clean) = SimulationSuite.Make(1, 0);
        (SimulatedWorld world, SimulatedCluster cluster) = Cluster(search);
        bool lost = false;
        world.RunUntil(() => cluster.Checks.State.Phase is SearchPhase.Training { Stage.Index: 4, Round: > 6 },
            TimeSpan.FromHours(3)).ShouldBeTrue();
        foreach (BlobRef blob in cluster.Checks.State.LiveBlobs.Where(cluster.Blobs.Contains).ToList())
        {
            cluster.Blobs.Delete(blob);
            lost = true;
        }

        lost.ShouldBeTrue();
        world.RunUntil(() => cluster.IsOver || cluster.Checks.Violations.Count > 0, TimeSpan.FromHours(6)).ShouldBeTrue();
        cluster.Checks.CompareWith(clean);
        cluster.Checks.Violations.ShouldBeEmpty();
        cluster.Checks.Events.OfType<SearchEvent.BlobLost>().Count().ShouldBeInRange(1, 12);
    }

    [Fact]
    public void A_roll_back_never_goes_to_weights_that_were_collected()
    {
        (SimulatedSearch search, _) = SimulationSuite.Make(0, 0);
        SearchConfig config = ConfigLoader.Over(search.Config.Text, ["blobs.keep-rounds=1"], null);
        SimulatedSearch diverging = new(config, search.Data, u => u is WorkUnit.TrainShard { Schedule.RateScale: > 0.3 }
            && u.Id.StartsWith("s1/r3", StringComparison.Ordinal)
            ? new UnitOutcome.Failed(FailureKind.NotFinite, "no number", 0) : search.Answer(u));
        SearchState before = SearchState.Initial;
        int rollBacks = 0;
        SearchState end = diverging.RunClean([], (after, e) =>
        {
            if (e is SearchEvent.RolledBack { To: { } to })
            {
                before.LiveBlobs.ShouldContain(to);
                rollBacks++;
            }

            before = after;
        }).State;
        rollBacks.ShouldBe(2);
        end.Phase.ShouldBeOfType<SearchPhase.Completed>();
    }

    [Fact]
    public void An_accepted_change_of_how_the_work_is_done_and_a_lost_blob_change_no_decision()
    {
        (SimulatedSearch search, CleanRun clean) = SimulationSuite.Make(0, 0);
        List<SearchEvent> events = [];
        search.RunClean([], (_, e) => events.Add(e));
        int at = events.FindIndex(e => e is SearchEvent.RoundCompleted { Stage: 2, Round: 2 });
        events = [.. events.Take(at + 1)];
        SearchState state = events.Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        string text = ConfigLoader.Over(search.Config.Text, ["trainers.count=1"], null).Text;
        events.Add(ConfigDrift.Event(search.Config.Text, text).ShouldBeOfType<SearchEvent.OperationChanged>());
        events.Add(new SearchEvent.BlobLost(state.Supernet!, "gone"));
        SearchState end = search.RunClean(events).State;
        end.DecisionHash.ShouldBe(clean.State.DecisionHash);
        end.Cost.ShouldBe(clean.State.Cost);
        end.Config!.Trainers.Count.ShouldBe(1);
    }

    private static (SimulatedWorld World, SimulatedCluster Cluster) Cluster(SimulatedSearch search)
    {
        SimulatedWorld world = new(3);
        return (world, new SimulatedCluster(world, search, new ClusterLayout(2, false), _ => 1, (Plant.None, new NoLog())));
    }

    private sealed class NoLog : IStateLog
    {
        public void Write(string actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
