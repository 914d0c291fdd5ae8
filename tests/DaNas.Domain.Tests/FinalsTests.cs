using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.Simulation.Engines;

namespace DaNas.Domain.Tests;

/// <summary>The choice at the end: successive halving over trainings of the candidates by themselves.</summary>
public sealed class FinalsTests
{
    private static readonly string[] Sets = ["derivation.candidates=7", "finals.rungs=3", "finals.epochs=1", "finals.keep=0.5",
        "finals.count=0", "retrain.segment-steps=20", "controls.count=1"];

    /// <summary>
    /// 7 candidates, half of them (rounded up) go on: 7, 4, 2; one epoch over 1,920 images in batches of 64 is 30 steps, then 60, then 120,
    /// in units of 20.
    /// </summary>
    [Fact]
    public void Rungs_halve_the_candidates_and_double_the_training()
    {
        (List<SearchEvent> events, List<WorkUnit.RetrainSegment> units) = Run();
        SearchEvent.FinalsOpened[] rungs = [.. events.OfType<SearchEvent.FinalsOpened>()];
        rungs.Select(r => r.Finalists.Count).ShouldBe([7, 4, 2]);
        WorkUnit.RetrainSegment[] finals = [.. units.Where(u => u.OnValidation)];
        finals.GroupBy(u => u.Run.Split('-')[1]).Select(g => (g.First().TotalSteps, g.Count())).ShouldBe([(30, 14), (60, 12), (120, 12)]);
        finals.Select(u => u.Seed).Distinct().Count().ShouldBe(3);
        units.Where(u => !u.OnValidation).ShouldAllBe(u => u.Id.StartsWith("retrain/", StringComparison.Ordinal));
    }

    /// <summary>Of 12 candidates the 5 best by supernet accuracy begin, then 3 and 2; random search has no supernet: all begin.</summary>
    [Fact]
    public void So_many_begin_as_the_configuration_says_the_best_by_supernet_accuracy()
    {
        List<SearchEvent> events = [];
        string[] sets = ["derivation.candidates=12", "derivation.random=0.5", "finals.count=5"];
        SimulatedSearch search = Search(out List<WorkUnit.RetrainSegment> units, sets);
        search.RunClean(null, (_, e) => events.Add(e));
        ValueList<Architectures.RankedArchitecture> ranked = events.OfType<SearchEvent.ArchitecturesRanked>().Single().Ranked;
        string[] best = [.. events.OfType<SearchEvent.ArchitectureScored>().OrderByDescending(e => e.Accuracy).ThenBy(e => e.Rank)
            .Select(e => ranked[e.Rank].Architecture.Text)];
        best.Length.ShouldBe(12);
        SearchEvent.FinalsOpened[] rungs = [.. events.OfType<SearchEvent.FinalsOpened>()];
        rungs.Select(r => r.Finalists.Count).ShouldBe([5, 3, 2]);
        rungs[0].Finalists.Select(a => a.Text).ShouldBe(best.Take(5));
        PhaseEstimate[] estimate = [.. SearchEstimate.Of(search.Config, search.Data).Phases
            .Where(p => p.Phase.StartsWith("finals", StringComparison.Ordinal))];
        estimate.Sum(p => p.Units).ShouldBe(units.Count(u => u.OnValidation));
        Evidence.TrialResult trial = Evidence.TrialResult.FromJson(
            Evidence.TrialResult.Of(new("x", "a", 1, "s"), events, []).ToJson(), "trial.json");
        trial.Candidates!.OrderByDescending(c => c.Supernet).Select(c => c.Architecture).Take(5).ShouldBe(best.Take(5));
        Search(out _, [.. sets, "search.strategy=random-search"]).RunClean(null, (_, e) => events.Add(e));
        events.OfType<SearchEvent.FinalsOpened>().Skip(3).Select(f => f.Finalists.Count).ShouldBe([12, 6, 3]);
        Should.Throw<UsageException>(() => TestSearches.Config("drawn-12", "finals.count=1")).Message.ShouldContain("finals.count = 1");
        Should.Throw<UsageException>(() => TestSearches.Config("drawn-12", "finals.count=5", "finals.rungs=0")).Message
            .ShouldContain("without rungs there are no finals");
    }

    /// <summary>What a search of before stored has no such key, and all its candidates begin.</summary>
    [Fact]
    public void A_configuration_from_before_the_count_is_the_same_one()
    {
        string now = TestSearches.Config("drawn-12").Text, before =
            now.Replace("\"finals\":{\"count\":0,", "\"finals\":{", StringComparison.Ordinal);
        before.ShouldNotBe(now);
        ConfigDrift.Identity(before).ShouldBe(ConfigDrift.Identity(now));
        ConfigDrift.Identity(TestSearches.Config("drawn-12", "finals.count=5").Text).ShouldNotBe(ConfigDrift.Identity(now));
        ConfigLoader.Over(before, [], null).Finals.Count.ShouldBe(0);
    }

    /// <summary>The landscape's accuracy of the last rung decides, whatever the supernet thought.</summary>
    [Fact]
    public void The_best_of_the_last_rung_wins_and_is_retrained()
    {
        (List<SearchEvent> events, _) = Run();
        SearchEvent.FinalsOpened last = events.OfType<SearchEvent.FinalsOpened>().Last();
        SearchEvent.ArchitectureSelected selected = events.OfType<SearchEvent.ArchitectureSelected>().Single();
        Dictionary<string, double> measured = events.OfType<SearchEvent.FinalistMeasured>()
            .Where(f => f.Run.StartsWith("final-3-", StringComparison.Ordinal)).ToDictionary(f => f.Architecture.Text, f => f.Accuracy);
        measured.Keys.Order().ShouldBe(last.Finalists.Select(a => a.Text).Order());
        measured[selected.Winner.Text].ShouldBe(measured.Values.Max());
        selected.Accuracies.Count.ShouldBe(7);
        events.OfType<SearchEvent.ModelRetrained>().First().Architecture.ShouldBe(selected.Winner);
    }

    [Fact]
    public void A_search_resumed_after_any_event_of_its_finals_ends_as_the_clean_one()
    {
        SimulatedSearch search = Search(out _);
        List<SearchEvent> events = [];
        CleanRun clean = search.RunClean(null, (_, e) => events.Add(e));
        int first = events.FindIndex(e => e is SearchEvent.FinalsOpened);
        for (int known = first; known < events.Count; known++)
            search.RunClean([.. events.Take(known)]).State.DecisionHash
                .ShouldBe(clean.State.DecisionHash, $"after {known} of {events.Count} events");
        SearchReplay.Check(events).Difference.ShouldBeNull();
    }

    /// <summary>A finalist's training needs the blob of the segment before; if lost, it is made again and no decision changes.</summary>
    [Fact]
    public void A_lost_blob_of_a_finalist_is_made_again()
    {
        SimulatedSearch search = Search(out _);
        List<SearchEvent> events = [];
        CleanRun clean = search.RunClean(null, (_, e) => events.Add(e));
        int at = events.FindIndex(e => e is SearchEvent.SegmentCompleted { Run: "final-2-1", Segment: 1 });
        List<SearchEvent> damaged = [.. events.Take(at + 1),
            new SearchEvent.BlobLost(((SearchEvent.SegmentCompleted)events[at]).Output, "gone")];
        SearchState state = damaged.Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        ((SearchPhase.Finals)state.Phase).Runs[0].SegmentsDone.ShouldBe(1);
        SearchState end = search.RunClean(damaged).State;
        end.DecisionHash.ShouldBe(clean.State.DecisionHash);
        end.Cost.ShouldBe(clean.State.Cost);
    }

    /// <summary>A candidate whose training diverges is out; the search is not.</summary>
    [Fact]
    public void A_finalist_that_fails_for_good_is_out_and_the_others_go_on()
    {
        List<SearchEvent> events = [];
        SimulatedSearch search = Search(out _);
        SimulatedSearch failing = search with
        {
            Answer = u => u is WorkUnit.RetrainSegment { OnValidation: true, Run: "final-1-2" }
            ? new UnitOutcome.Failed(Faults.FailureKind.NotFinite, "the loss", 0) : search.Answer(u)
        };
        failing.RunClean(null, (_, e) => events.Add(e)).State.Phase.ShouldBeOfType<SearchPhase.Completed>();
        SearchEvent.FinalsOpened[] rungs = [.. events.OfType<SearchEvent.FinalsOpened>()];
        rungs[1].Finalists.ShouldNotContain(rungs[0].Finalists[1]);
        SimulatedSearch none = search with
        {
            Answer = u => u is WorkUnit.RetrainSegment { OnValidation: true }
            ? new UnitOutcome.Failed(Faults.FailureKind.NotFinite, "the loss", 0) : search.Answer(u)
        };
        none.RunClean().State.Phase.ShouldBeOfType<SearchPhase.Failed>();
    }

    /// <summary>A block that is quarantined aborts whatever contains it: no control may.</summary>
    [Fact]
    public void Controls_have_no_quarantined_block()
    {
        List<SearchEvent> events = [];
        Search(out _, "controls.count=60").RunClean(null, (_, e) => events.Add(e));
        string common = events.OfType<SearchEvent.ArchitectureSelected>().Single().Controls.Select(a => a.Blocks[2]).GroupBy(b => b)
            .MaxBy(g => g.Count())!.Key;
        SearchState before = events.TakeWhile(e => e is not SearchEvent.ArchitectureSelected)
            .Aggregate(SearchState.Initial, SearchEvolver.Evolve) with
        { Quarantined = [new BlockRequest(2, common)] };
        SearchEvent.ArchitectureSelected selected = ((Decision.Accepted)SearchDecider.Decide(before, new SearchCommand.Proceed())).Events
            .OfType<SearchEvent.ArchitectureSelected>().Single();
        selected.Controls.Count.ShouldBe(60);
        selected.Controls.ShouldAllBe(a => a.Blocks[2] != common);
    }

    [Fact]
    public void What_the_finals_stand_on_cannot_change_while_they_run()
    {
        List<SearchEvent> events = [];
        Search(out _).RunClean(null, (_, e) => events.Add(e));
        SearchState within = events.Take(events.FindIndex(e => e is SearchEvent.FinalsOpened) + 2)
            .Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        foreach (string key in (string[])["finals.epochs", "retrain.segment-steps", "retrain.batch", "retrain.optimiser"])
            ConfigDrift.Unacceptable([$"{key}: 1 -> 2"], within).Count.ShouldBe(1, key);
        ConfigDrift.Unacceptable(["retrain.epochs: 1 -> 2"], within).Count.ShouldBe(0);
    }

    [Theory]
    [InlineData(0.9, 5, 4, 3)]
    [InlineData(0.75, 3, 2, 1)]
    [InlineData(0.5, 20, 10, 5)]
    public void Every_rung_lets_somebody_go(double keep, int first, int second, int third) =>
        Enumerable.Range(0, 3).Select(r => Finals.Finalists(first, new FinalOptions(3, 1, keep), r)).ShouldBe([first, second, third]);

    [Fact]
    public void Without_rungs_the_best_supernet_accuracy_wins_as_before()
    {
        List<SearchEvent> events = [];
        SimulatedSearch search = Search(out _, "finals.rungs=0");
        search.RunClean(null, (_, e) => events.Add(e));
        events.ShouldNotContain(e => e is SearchEvent.FinalsOpened);
        SearchEvent.ArchitectureSelected selected = events.OfType<SearchEvent.ArchitectureSelected>().Single();
        ValueList<Architectures.RankedArchitecture> ranked = events.OfType<SearchEvent.ArchitecturesRanked>().Single().Ranked;
        selected.Winner.ShouldBe(ranked[selected.Accuracies.ToList().IndexOf(selected.Accuracies.Max())].Architecture);
    }

    /// <summary>
    /// Random search has no supernet and no scores: its candidates lie within the tolerance under the budget, and the landscape's accuracy
    /// of the last rung decides.
    /// </summary>
    [Fact]
    public void Random_search_chooses_among_random_architectures_by_the_finals_alone()
    {
        List<SearchEvent> events = [];
        SimulatedSearch search = Search(out List<WorkUnit.RetrainSegment> units, "search.strategy=random-search",
            "derivation.candidates=12");
        CleanRun clean = search.RunClean(null, (_, e) => events.Add(e));
        units.ShouldNotBeEmpty();
        events.OfType<SearchEvent.RoundCompleted>().ShouldBeEmpty();
        CostTable costs = CostTable.Of(clean.State.Space!);
        SearchEvent.ArchitecturesRanked ranked = events.OfType<SearchEvent.ArchitecturesRanked>().Single();
        ranked.Ranked.Select(r => r.Architecture).Distinct().Count().ShouldBe(12);
        ranked.Ranked.ShouldAllBe(r => costs.Of(r.Architecture).Macs <= ranked.BudgetMacs
            && costs.Of(r.Architecture).Macs >= 0.9 * ranked.BudgetMacs);
        events.OfType<SearchEvent.FinalsOpened>().Select(f => f.Finalists.Count).ShouldBe([12, 6, 3]);
        Dictionary<string, double> last = events.OfType<SearchEvent.FinalistMeasured>()
            .Where(f => f.Run.StartsWith("final-3-", StringComparison.Ordinal)).ToDictionary(f => f.Architecture.Text, f => f.Accuracy);
        last[clean.State.Selected!.Winner.Text].ShouldBe(last.Values.Max());
        SearchEstimate.Of(search.Config, search.Data).Phases.Select(p => p.Phase)
            .ShouldBe(["finals, rung 1", "finals, rung 2", "finals, rung 3", "retraining"]);
        for (int known = 1; known < events.Count; known += 5)
            search.RunClean([.. events.Take(known)]).State.DecisionHash
                .ShouldBe(clean.State.DecisionHash, $"after {known} of {events.Count} events");
    }

    /// <summary>
    /// Finals of n candidates in three rungs (30, 60, 120 steps of 64 images, three passes each, then 480 held-out images): of 12, 12 x (3
    /// x 1,920 + 480) + 6 x (3 x 3,840 + 480) + 3 x (3 x 7,680 + 480).
    /// </summary>
    [Fact]
    public void Equal_cost_is_as_many_candidates_as_their_finals_may_cost()
    {
        SearchConfig config = TestSearches.Config("drawn-12", [.. Sets, "search.strategy=random-search"]);
        double macs = SearchState.BudgetOf(config.SpaceFor(12), config.Cost) / 1.05;
        double twelve = ((12 * 6240.0) + (6 * 12_000) + (3 * 23_520)) * macs;
        EqualCost.Candidates(config, TestSearches.Data(), twelve + 1).ShouldBe(12);
        EqualCost.Candidates(config, TestSearches.Data(), twelve - 1).ShouldBe(11);
        EqualCost.Candidates(config, TestSearches.Data(), 0).ShouldBe(2);
        EqualCost.Candidates(config, TestSearches.Data(), 1e30).ShouldBe(EqualCost.Most);
    }

    /// <summary>
    /// Controls of one epoch, 2,400 images in batches of 64: 38 steps, beside a retraining of 3.5 epochs, 132 steps; the winner is trained
    /// once more as they are.
    /// </summary>
    [Fact]
    public void Where_retraining_is_long_winner_and_controls_are_compared_by_a_shorter_recipe()
    {
        List<SearchEvent> events = [];
        SimulatedSearch search = Search(out List<WorkUnit.RetrainSegment> units, "controls.count=2", "controls.epochs=1");
        SearchState end = search.RunClean(null, (_, e) => events.Add(e)).State;
        units.Where(u => !u.OnValidation).GroupBy(u => u.Run).Select(g => (g.Key, g.First().TotalSteps))
            .ShouldBe([("winner", 132), ("winner-compared", 38), ("control-1", 38), ("control-2", 38)]);
        Search(out List<WorkUnit.RetrainSegment> twice, "controls.count=1", "controls.epochs=1", "retrain.seeds=2").RunClean();
        twice.Where(u => !u.OnValidation).Select(u => u.Run).Distinct()
            .ShouldBe(["winner", "winner-compared", "control-1", "winner-seed2", "winner-compared-seed2", "control-1-seed2"]);
        Search(out List<WorkUnit.RetrainSegment> alone, "controls.count=0", "controls.epochs=1").RunClean();
        alone.Where(u => !u.OnValidation).Select(u => u.Run).Distinct().ShouldBe(["winner"]);
        ValueList<RetrainedModel> models = ((SearchPhase.Completed)end.Phase).Models;
        (ValueList<RetrainedModel> winner, ValueList<RetrainedModel> controls) = RetrainPlan.Comparison(models);
        winner.Select(m => (m.Run, m.Architecture)).ShouldBe([("winner-compared", end.Selected!.Winner)]);
        controls.Count.ShouldBe(2);
        SearchVerdict.Of(end)!.Difference.ShouldBe(winner[0].TestAccuracy - controls.Average(m => m.TestAccuracy), 1e-12);
        SearchEstimate.Of(search.Config, search.Data).Phases[^1].Units.ShouldBe(units.Count(u => !u.OnValidation));
    }

    /// <summary>1,920 of 2,400 images are trained with: 105 steps, measured on the validation split.</summary>
    [Fact]
    public void A_training_measured_on_validation_leaves_test_and_validation_pictures_out()
    {
        Should.Throw<UsageException>(() => TestSearches.Config("drawn-12", "retrain.measure-on=validation")).Message
            .ShouldContain("retrain.measure-on = validation: strategy da-nas selects its winner on the validation split");
        SearchConfig config = TestSearches.Config("drawn-12", "retrain.measure-on=validation", "search.strategy=random");
        RetrainPlan.Steps(config, TestSearches.Data(), "winner").ShouldBe(105);
        RetrainPlan.Steps(TestSearches.Config(), TestSearches.Data(), "winner").ShouldBe(132);
        SearchState end = TestSearches.Run(config, TestSearches.Data()).State;
        end.Phase.ShouldBeOfType<SearchPhase.Completed>();
        foreach (string key in (string[])["retrain.measure-on", "controls.epochs"])
            ConfigDrift.Unacceptable([$"{key}: 1 -> 2"], end).Count.ShouldBe(1, key);
    }

    private static (List<SearchEvent> Events, List<WorkUnit.RetrainSegment> Units) Run()
    {
        List<SearchEvent> events = [];
        SimulatedSearch search = Search(out List<WorkUnit.RetrainSegment> units);
        search.RunClean(null, (_, e) => events.Add(e));
        return (events, units);
    }

    private static SimulatedSearch Search(out List<WorkUnit.RetrainSegment> units, params string[] sets)
    {
        SearchConfig config = TestSearches.Config("drawn-12", [.. Sets, .. sets]);
        DatasetSummary data = TestSearches.Data();
        LandscapeEngine engine = new(new EngineContext(config, data));
        List<WorkUnit.RetrainSegment> all = units = [];
        return new SimulatedSearch(config, data, u =>
        {
            if (u is WorkUnit.RetrainSegment r)
                all.Add(r);
            return new UnitOutcome.Completed(engine.Answer(u));
        });
    }
}
