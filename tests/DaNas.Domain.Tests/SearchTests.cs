using System.Text.Json;
using DaNas.Domain.Configuration;
using DaNas.Domain.Faults;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Tests;

public sealed class SearchTests
{
    [Fact]
    public void A_search_runs_to_its_end_and_the_fold_of_its_events_is_its_state()
    {
        (SearchState state, List<SearchEvent> events) = TestSearches.Run(
            TestSearches.Config("drawn-12", "prune.when=schedule"), TestSearches.Data());
        state.Phase.ShouldBeOfType<SearchPhase.Completed>();
        state.Alive!.Layers.ShouldAllBe(l => l.Count == 2);
        SearchState folded = events.Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        folded.DecisionHash.ShouldBe(state.DecisionHash);
        folded.Cost.ShouldBe(state.Cost);
    }

    [Fact]
    public void The_order_in_which_results_arrive_changes_no_decision()
    {
        SearchConfig config = TestSearches.Config("drawn-12", "difficulty.seeds=3");
        (SearchState a, List<SearchEvent> first) = TestSearches.Run(config, TestSearches.Data());
        (SearchState b, List<SearchEvent> second) = TestSearches.Run(config, TestSearches.Data(), reversed: true);
        first.Select(e => e.ToString()).ShouldNotBe(second.Select(e => e.ToString()));
        b.DecisionHash.ShouldBe(a.DecisionHash);
        ((SearchPhase.Completed)b.Phase).WeightsHash.ShouldBe(((SearchPhase.Completed)a.Phase).WeightsHash);
    }

    [Fact]
    public void Another_seed_gives_another_decision_hash() =>
        TestSearches.Run(TestSearches.Config("drawn-12", "search.seed=2"), TestSearches.Data()).State.DecisionHash
            .ShouldNotBe(TestSearches.Run(TestSearches.Config(), TestSearches.Data()).State.DecisionHash);

    [Theory]
    [InlineData("search.strategy=random")]
    [InlineData("search.strategy=uniform-single-path")]
    [InlineData("evidence.kind=validation prune.when=schedule")]
    [InlineData("curriculum.order=hard-first")]
    [InlineData("curriculum.order=random")]
    [InlineData("curriculum.order=all-classes-subsampled")]
    [InlineData("difficulty.measure=variance")]
    [InlineData("difficulty.measure=loss")]
    [InlineData("prune.rule=global prune.when=schedule evidence.kind=probability")]
    [InlineData("prune.rule=threshold prune.when=schedule evidence.kind=probability")]
    [InlineData("prune.when=schedule")]
    [InlineData("evidence.kind=probability prune.when=schedule")]
    [InlineData("warmup.epochs=0")]
    [InlineData("warmup.classes=all")]
    [InlineData("rounds.shards=1")]
    [InlineData("curriculum.fractions=[1.0]")]
    [InlineData("sampler.kind=soft evidence.kind=probability prune.when=schedule")]
    [InlineData("cost.form=log-ratio")]
    [InlineData("controls.count=0")]
    public void Every_choice_of_the_method_runs_to_an_end(string choice)
    {
        (SearchState state, _) = TestSearches.Run(TestSearches.Config("drawn-12", choice.Split(' ')), TestSearches.Data());
        state.Phase.ShouldBeOfType<SearchPhase.Completed>(choice);
        state.Selected!.Cost.Macs.ShouldBeLessThanOrEqualTo(state.Budget);
    }

    [Fact]
    public void A_second_result_of_a_unit_changes_nothing()
    {
        SearchState state = Started();
        UnitResult result = Point(OutstandingWork.Of(state)[0]);
        Decision.Accepted accepted = SearchDecider.Decide(state, new SearchCommand.AcceptResult(result))
            .ShouldBeOfType<Decision.Accepted>();
        SearchState after = accepted.Events.Aggregate(state, SearchEvolver.Evolve);
        SearchDecider.Decide(after, new SearchCommand.AcceptResult(result)).ShouldBeOfType<Decision.Ignored>();
    }

    [Fact]
    public void A_foreign_result_and_a_half_round_are_not_accepted()
    {
        SearchState state = Started();
        SearchDecider.Decide(state, new SearchCommand.AcceptResult(
            new UnitResult.ArchitectureEvaluated("derive/0", UnitCost.Zero, new Timing(0), 1, 0))).ShouldBeOfType<Decision.Ignored>();
        SearchDecider.Decide(state, new SearchCommand.CompleteRound(0, 0, [], null)).ShouldBeOfType<Decision.Ignored>();
        SearchDecider.Decide(SearchState.Initial, new SearchCommand.Proceed()).ShouldBeOfType<Decision.Rejected>();
    }

    [Fact]
    public void A_failure_of_a_unit_that_nobody_waits_for_any_more_is_ignored()
    {
        SearchState state = Started();
        SearchCommand.RecordFailedAttempt late = new("retrain/control-1/25", 3, FailureKind.EngineError, "discarded", 0, true);
        SearchDecider.Decide(state, late).ShouldBeOfType<Decision.Ignored>();
        SearchDecider.Decide(state, late with { Unit = OutstandingWork.Of(state)[0].Id }).ShouldBeOfType<Decision.Accepted>().Events[^1]
            .ShouldBeOfType<SearchEvent.SearchFailed>();
    }

    [Fact]
    public void A_search_that_a_fault_stopped_goes_on_where_it_was_when_it_is_resumed()
    {
        SearchState before = Started();
        SearchState failed = SearchEvolver.Evolve(before, new SearchEvent.SearchFailed("the disk was full", "free some space"));
        failed.IsOver.ShouldBeTrue();
        Decision.Accepted resumed = SearchDecider.Decide(failed, new SearchCommand.Resume(2, "profile", 0))
            .ShouldBeOfType<Decision.Accepted>();
        SearchState after = resumed.Events.Aggregate(failed, SearchEvolver.Evolve);
        after.Phase.ShouldBe(before.Phase);
        after.DecisionHash.ShouldBe(before.DecisionHash);
    }

    [Fact]
    public void Resuming_under_another_numerics_profile_is_refused()
    {
        Decision decision = SearchDecider.Decide(Started(), new SearchCommand.Resume(2, "another", 0));
        decision.ShouldBeOfType<Decision.Rejected>().Reason.ShouldContain("'another'");
    }

    [Fact]
    public void Time_and_identity_are_outside_the_decision_hash_and_everything_else_is_inside()
    {
        SearchEvent.RoundCompleted e = new(1, 2, new BlobRef(Digest.Of("x"), 1), 1, 1, 1, UnitCost.Zero, new Timing(1), []);
        Digest origin = Digest.Of("o");
        SearchEvolver.Chain(origin, e with { Timing = new Timing(9) }).ShouldBe(SearchEvolver.Chain(origin, e));
        SearchEvolver.Chain(origin, e with { Loss = 2 }).ShouldNotBe(SearchEvolver.Chain(origin, e));
    }

    [Fact]
    public void An_event_that_cannot_follow_is_an_error() =>
        Should.Throw<InvalidDataException>(() => SearchEvolver.Evolve(SearchState.Initial, new SearchEvent.StageClosed(1, null)));

    [Fact]
    public void The_cost_of_the_class_schedule_is_half_of_the_full_one()
    {
        SearchConfig scheduled = TestSearches.Config("drawn-12", "warmup.epochs=0", "stage.epochs=20", "rounds.steps=1", "rounds.shards=1");
        SearchConfig full = TestSearches.Config("drawn-12", "warmup.epochs=0", "stage.epochs=20", "rounds.steps=1", "rounds.shards=1",
            "curriculum.fractions=[1.0,1.0,1.0,1.0]");
        DatasetSummary data = TestSearches.Data(100, 64, 16, 10);
        double ratio = (double)Rounds(full, data) / Rounds(scheduled, data);
        ratio.ShouldBe(2.0, 0.01);

        static int Rounds(SearchConfig c, DatasetSummary d) => StagePlanner.Plan(
            c, d, Curricula.ClassCurriculum.From(Enumerable.Range(0, d.Classes.Count).ToValueList(), c.Curriculum, 1)).TotalRounds;
    }

    [Fact]
    public void The_seeded_generator_never_changes()
    {
        SeededRandom random = new(42);
        string drawn = string.Join(' ', Enumerable.Range(0, 4).Select(_ => random.NextUInt64()));
        drawn.ShouldBe("1546998764402558742 6990951692964543102 12544586762248559009 17057574109182124193");
        SeededRandom.Derive(1, "stage", 2).ShouldNotBe(SeededRandom.Derive(1, "stage", 3));
    }

    [Fact]
    public void Values_are_compared_by_content_and_survive_json()
    {
        ValueList<ValueList<double>> list = [[1, 2], [0.1, -3e-9]];
        list.ShouldBe([[1, 2], [0.1, -3e-9]]);
        JsonSerializer.Deserialize<ValueList<ValueList<double>>>(
            JsonSerializer.Serialize(list, DomainJson.Stored), DomainJson.Stored).ShouldBe(list);
    }

    private static SearchState Started()
    {
        SearchConfig config = TestSearches.Config();
        return SearchEvolver.Evolve(SearchState.Initial, new SearchEvent.SearchStarted(
            new SearchId("t"), config.Text, config.Hash, TestSearches.Data(), "profile", "engine"));
    }

    private static UnitResult.DifficultyPoint Point(WorkUnit unit) =>
        new(unit.Id, UnitCost.Zero, new Timing(0), new BlobRef(Digest.Of("b"), 1), Enumerable.Repeat(0.5, 12).ToValueList(),
            Enumerable.Repeat(1.0, 12).ToValueList());
}
