using System.Text.Json;
using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.Simulation.Engines;

namespace DaNas.Domain.Tests;

/// <summary>The difficulty pass: how long it goes on, when it is an order, and what the search does where it is none.</summary>
public sealed class DifficultyTests
{
    private const int Classes = 12;

    /// <summary>
    /// Proxies at chance: as many passes as there may be, then random images of all classes; the classes are told apart by loss, never by
    /// name.
    /// </summary>
    [Fact]
    public void Proxies_at_chance_give_no_order_and_the_search_goes_on_with_all_classes()
    {
        (SearchState state, int points) = Run((_, _, c) => (1.0 / Classes, 2.5 - (0.01 * (c * 7 % Classes))));
        points.ShouldBe(2 * 3 * 4);
        DifficultyVerdict verdict = state.DifficultyVerdict!;
        verdict.IsOrder.ShouldBeFalse();
        verdict.Passes.ShouldBe(3);
        verdict.ToString().ShouldContain("no order of difficulty after 3 pass(es): proxies at 8.3 % held-out accuracy (chance 8.3 %)");
        state.Difficulty!.EasyToHard.ShouldBe(Enumerable.Range(0, Classes).OrderByDescending(c => c * 7 % Classes).ToValueList());
        state.Plan!.Stages.ShouldAllBe(s => s.Classes.Count == Classes);
        state.Plan.Stages[1].ImageShare.ShouldBeLessThan(0.5);
    }

    /// <summary>Clear of chance, but each seed has its own order: rho between the two is -1, the reliability of their mean 0.</summary>
    [Fact]
    public void Seeds_that_disagree_give_no_order()
    {
        (SearchState state, _) = Run((seed, _, c) => (0.3 + (0.04 * (seed == 0 ? c : Classes - 1 - c)), 1));
        state.DifficultyVerdict!.Agreement.ShouldBe(0);
        state.DifficultyVerdict.IsOrder.ShouldBeFalse();
    }

    [Fact]
    public void A_clear_and_stable_order_is_taken_after_one_pass()
    {
        (SearchState state, int points) = Run((_, point, c) => (Math.Min(1, (0.2 + (0.05 * c)) * (point + 1) / 4), 1));
        points.ShouldBe(2 * 4);
        state.DifficultyVerdict!.IsOrder.ShouldBeTrue();
        state.DifficultyVerdict.Agreement.ShouldBe(1);
        state.Difficulty!.EasyToHard.ShouldBe(Enumerable.Range(0, Classes).Reverse().ToValueList());
        state.Plan!.Stages[1].Classes.Count.ShouldBe(4);
        state.Plan.Stages[1].Classes.ShouldBe([8, 9, 10, 11]);
    }

    [Fact]
    public void A_pass_at_chance_is_followed_by_another()
    {
        (SearchState state, int points) = Run((_, point, c) => (point < 4 ? 1.0 / Classes : 0.2 + (0.05 * c), 1));
        points.ShouldBe(2 * 8);
        state.DifficultyVerdict!.Passes.ShouldBe(2);
        state.DifficultyVerdict.IsOrder.ShouldBeTrue();
    }

    /// <summary>
    /// Guessing among 12 classes on 480 held-out images: 0.0833 with a standard deviation of 0.0126; three of them end at 0.1212.
    /// </summary>
    [Theory]
    [InlineData(0.121, false)]
    [InlineData(0.1215, true)]
    public void Clear_of_chance_is_three_deviations_of_guessing(double mean, bool order)
    {
        (SearchState state, _) = Run((_, _, c) => (mean + (0.001 * (c - 5.5)), 1), "difficulty.passes=1");
        state.DifficultyVerdict!.IsOrder.ShouldBe(order);
    }

    /// <summary>
    /// Proxies that always answer the class that has a fifth of the images: a fifth of the images right, and no better than guessing by
    /// class.
    /// </summary>
    [Fact]
    public void A_common_class_that_is_always_answered_is_no_order()
    {
        (SearchState state, _) = Run(
            (_, _, c) => (c == 0 ? 1 : 0, 1), TestSearches.Data(Classes)
                with
            { Validation = Enumerable.Range(0, Classes).Select(c => c == 0 ? 240 : 40).ToValueList() });
        state.DifficultyVerdict!.Accuracy.ShouldBe(1.0 / Classes, 1e-6);
        state.DifficultyVerdict.IsOrder.ShouldBeFalse();
    }

    /// <summary>Variance puts classes that were never learned last, whatever their variance: seeds that agree on that agree.</summary>
    [Fact]
    public void The_agreement_is_that_of_the_order_with_its_guard()
    {
        (SearchState state, _) = Run((_, point, c) => (c < 3 ? 0.001 * c : (0.3 + (0.02 * c)) * (point + 1) / 4, 1),
            "difficulty.measure=variance");
        state.DifficultyVerdict!.Agreement.ShouldBe(1);
        state.Difficulty!.EasyToHard.TakeLast(2).ShouldAllBe(c => c < 3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_search_resumed_after_any_event_of_a_prolonged_pass_ends_as_the_clean_one(bool order)
    {
        SimulatedSearch search = Search((_, point, c) => (!order || point < 4 ? 1.0 / Classes : 0.2 + (0.05 * c), 1 + (0.01 * c)),
            TestSearches.Data(Classes), [], () => { });
        List<SearchEvent> events = [];
        CleanRun clean = search.RunClean(null, (_, e) => events.Add(e));
        int opened = events.FindIndex(e => e is SearchEvent.StageOpened);
        for (int known = 1; known <= opened; known++)
            search.RunClean([.. events.Take(known)]).State.DecisionHash
                .ShouldBe(clean.State.DecisionHash, $"after {known} of {events.Count} events");
        int lost = events.FindIndex(e => e is SearchEvent.ProxyMeasured { ProxySeed: 1, Point: 5 });
        SearchState end = search
            .RunClean([.. events.Take(lost + 1), new SearchEvent.BlobLost(((SearchEvent.ProxyMeasured)events[lost]).Output, "gone")]).State;
        end.DecisionHash.ShouldBe(clean.State.DecisionHash);
        SearchReplay.Check(events).Difference.ShouldBeNull();
    }

    /// <summary>What later versions must read; and without a verdict, or outside the finals, the bytes are those of before.</summary>
    [Fact]
    public void The_verdict_and_a_training_of_the_finals_have_fixed_bytes()
    {
        SearchEvent.DifficultyMeasured plain = new([0.5], [0], UnitCost.Zero);
        string Text(object value) => JsonSerializer.Serialize(value, value.GetType(), DomainJson.Stored);
        Text(plain).ShouldBe("""{"difficulty":[0.5],"easyToHard":[0],"cost":{"forwardImages":0,"backwardImages":0,"forwardMacs":0}}""");
        SearchEvent.DifficultyMeasured judged = plain with { Verdict = new(true, 0.5, 0.1, 0.75, 2, [1, 0.5, -0.5]) };
        Text(judged).ShouldBe(
            """{"difficulty":[0.5],"easyToHard":[0],"cost":{"forwardImages":0,"backwardImages":0,"forwardMacs":0},"verdict":""" +
            """{"isOrder":true,"accuracy":0.5,"chance":0.1,"agreement":0.75,"passes":2,"measureAgreement":[1,0.5,-0.5]}}""");
        JsonSerializer.Deserialize<SearchEvent.DifficultyMeasured>(Text(judged), DomainJson.Stored).ShouldBe(judged);
        WorkUnit.RetrainSegment unit = new("finals/final-1-1/0", 7, "final-1-1", new("s", ["a"]), 0, 1, 30, null);
        Text(unit).ShouldNotContain("onValidation");
        Text(unit with { OnValidation = true }).ShouldContain("\"onValidation\":true");
    }

    [Fact]
    public void Steps_of_before_give_an_order_whatever_comes_and_no_verdict()
    {
        (SearchState state, int points) = Run((_, _, _) => (1.0 / Classes, 1), "difficulty.epochs-per-point=0",
            "difficulty.steps-per-point=20");
        points.ShouldBe(2 * 4);
        state.DifficultyVerdict.ShouldBeNull();
        state.Plan!.Stages[1].Classes.Count.ShouldBe(4);
    }

    [Theory]
    [InlineData("difficulty.seeds=1", "difficulty.seeds = 1", "at least two proxies")]
    [InlineData("difficulty.steps-per-point=20", "difficulty.steps-per-point = 20", "difficulty.epochs-per-point")]
    public void What_cannot_be_judged_is_refused(string set, string named, string remedy)
    {
        UsageException e = Should.Throw<UsageException>(() => ConfigLoader.Load("drawn-12", [set], null));
        e.Message.ShouldContain(named);
        e.Message.ShouldContain(remedy);
    }

    [Theory]
    [InlineData(1.0, 1920, 64, 30)]
    [InlineData(0.5, 1000, 64, 8)]
    [InlineData(0.001, 100, 64, 1)]
    public void A_point_has_its_epochs_in_steps(double epochs, int images, int batch, int steps)
    {
        SearchConfig config = ConfigLoader.Load("drawn-12", [Invariant($"difficulty.epochs-per-point={epochs}")], null);
        config.Difficulty.Steps(TestSearches.Data(1, images), batch).ShouldBe(steps);
    }

    /// <summary>
    /// A search whose proxies have the accuracy and loss that a function of seed, point and class gives; ended by the landscape.
    /// </summary>
    private static (SearchState State, int Points) Run(Func<int, int, int, (double Accuracy, double Loss)> measured,
        params string[] sets) => Run(measured, TestSearches.Data(Classes), sets);

    private static (SearchState State, int Points) Run(Func<int, int, int, (double Accuracy, double Loss)> measured,
        DatasetSummary data, params string[] sets)
    {
        int points = 0;
        SearchState state = Search(measured, data, sets, () => points++).RunClean().State;
        return (state, points);
    }

    private static SimulatedSearch Search(Func<int, int, int, (double Accuracy, double Loss)> measured, DatasetSummary data,
        string[] sets, Action counted)
    {
        SearchConfig config = ConfigLoader.Load("drawn-12", ["difficulty.points=4", "difficulty.passes=3", "difficulty.agreement=0.6",
            "controls.count=0", .. sets], null);
        LandscapeEngine engine = new(new EngineContext(config, data));
        UnitOutcome Answer(WorkUnit unit)
        {
            UnitResult result = engine.Answer(unit);
            if (unit is not WorkUnit.MeasureDifficulty u)
                return new UnitOutcome.Completed(result);
            counted();
            (double Accuracy, double Loss)[] all = [.. Enumerable.Range(0, Classes).Select(c => measured(u.ProxySeed, u.Point, c))];
            return new UnitOutcome.Completed((UnitResult.DifficultyPoint)result
                with
            { Accuracy = all.Select(x => x.Accuracy).ToValueList(), Loss = all.Select(x => x.Loss).ToValueList() });
        }

        return new SimulatedSearch(config, data, Answer);
    }
}
