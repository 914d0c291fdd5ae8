using DaNas.Domain.Values;
using DaNas.Evidence;

namespace DaNas.Domain.Tests;

/// <summary>The statistics of experiments, on cases whose answers are known.</summary>
public sealed class EvidenceTests
{
    /// <summary>Expected values from the definitions: 5 of 5 positive signs have chance 1/32; U = 0 of 5 and 5 without ties.</summary>
    [Fact]
    public void Tests_of_significance_agree_with_hand_calculation()
    {
        Significance.Sign([1, 2, 3, 4, 5]).ShouldBe(1.0 / 32, 1e-12);
        Significance.Sign([1, -2, 3, 0, double.NaN]).ShouldBe(0.5, 1e-12);
        Significance.Sign([]).ShouldBe(1);
        // z = (0 - 12.5 + 0.5) / sqrt(25 / 12 * 11) = -2.50672
        Significance.MannWhitneyLess([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]).ShouldBe(0.006092, 1e-5);
        Significance.MannWhitneyLess([6, 7, 8, 9, 10], [1, 2, 3, 4, 5]).ShouldBeGreaterThan(0.99);
        Significance.MannWhitneyLess([1, 1, 1], [1, 1, 1]).ShouldBe(1);
        // t = 3 / (sqrt(2.5) / sqrt(5)) = 4.24264 with 4 degrees of freedom.
        Significance.PairedGreater([1, 2, 3, 4, 5]).ShouldBe(0.006617, 1e-5);
        MeanError.Of([1, 2, 3, 4, 5]).Error.ShouldBe(Math.Sqrt(2.5 / 5), 1e-12);
    }

    /// <summary>
    /// Means and errors by hand; Student's with 3 degrees of freedom: P(T > 3) = 0.028834, quantiles 3.182446 (97.5 %) and 0.978472 (80 %).
    /// </summary>
    [Fact]
    public void Equivalence_detectable_difference_and_the_correction_agree_with_hand_calculation()
    {
        double[] differences = [-1, 0, 0, 1]; // Mean 0, standard deviation 0.816497, error 0.408248.
        Significance.Equivalent(differences, 3 * 0.408248).ShouldBe(0.028834, 1e-5);
        Significance.Equivalent([.. differences.Select(d => d + 1)], 1).ShouldBe(0.5, 1e-12);
        Significance.PairedDifferent([.. differences.Select(d => d + (3 * 0.408248))]).ShouldBe(2 * 0.028834, 1e-5);
        Significance.PairedDifferent([.. differences.Select(d => d - (3 * 0.408248))]).ShouldBe(2 * 0.028834, 1e-5);
        Significance.Detectable(differences, 0.025).ShouldBe(0.408248 * (3.182446 + 0.978472), 1e-5);
        Significance.Holm([0.01, 0.04, 0.03, double.NaN]).ShouldBe([0.03, 0.06, 0.06, double.NaN]);
        Significance.Holm([0.5, 0.9]).ShouldBe([1, 1]);
    }

    /// <summary>
    /// tau(x, y) = 1, tau(x, z) = tau(y, z) = 1/3: (1 - 1/9) / (1 - 1/9) = 1; with y against x: tau -1, 1/3, -1/3: (-1 + 1/9) / (8/9) = -1.
    /// </summary>
    [Fact]
    public void Partial_rank_correlation_agrees_with_hand_calculation()
    {
        AgreementTables.Partial([1, 2, 3], [1, 2, 3], [1, 3, 2]).ShouldBe(1, 1e-12);
        AgreementTables.Partial([1, 2, 3], [3, 2, 1], [1, 3, 2]).ShouldBe(-1, 1e-12);
        // tau(x, y) = 2/3, tau(x, z) = 0, tau(y, z) = -1/3: (2/3) / sqrt(8/9).
        AgreementTables.Partial([1, 2, 3, 4], [2, 1, 3, 4], [2, 3, 4, 1]).ShouldBe(2.0 / 3 / Math.Sqrt(8.0 / 9), 1e-12);
        double.IsNaN(AgreementTables.Partial([1, 2, 3], [1, 3, 2], [1, 2, 3])).ShouldBeTrue();
    }

    /// <summary>
    /// Two trainings of each; the second seed gives all of them 0.05 more. Beside that, residuals of 0.01: 4 x 0.0001 / (2 x 1) = 0.0002;
    /// variance of the means 0.01, so between 0.01 - 0.0001. r = 0.809017 asks for 4.236068 x noise / spread.
    /// </summary>
    [Fact]
    public void A_probe_tells_spread_from_noise()
    {
        ProbeRow Row(int i, double first, double second) => new($"a{i}", i, 100 - i, [first, second], null);
        ProbeReport report = ProbeReport.Of("x", 1000, 36, [Row(0, 0.4 - 0.025 + 0.01, 0.4 + 0.025 - 0.01),
            Row(1, 0.6 - 0.025 - 0.01, 0.6 + 0.025 + 0.01), Row(2, 0.5 - 0.025, 0.5 + 0.025)], 1);
        report.Spread.ShouldBe(Math.Sqrt(0.01 - 0.0001), 1e-6);
        report.Noise.ShouldBe(Math.Sqrt(0.0002), 1e-6);
        report.Ceiling.Value.ShouldBe(1, 1e-12);
        report.TrainingsNeeded.ShouldBe(1);
        report.HoursNeeded!.Value.ShouldBe(0.03, 1e-12);
        report.Sentence.ShouldStartWith("there are clear differences: architectures differ by 9.9 points, training runs of the " +
            "same architecture by 1.4");
        ProbeReport.Needed(1).ShouldBe(5);
        ProbeReport none = ProbeReport.Of("x", 1000, 36, [Row(0, 0.4, 0.6), Row(1, 0.6, 0.4), Row(2, 0.5, 0.5)], 1);
        none.Spread.ShouldBe(0);
        none.TrainingsNeeded.ShouldBeNull();
        none.HoursNeeded.ShouldBeNull();
        none.Sentence.ShouldStartWith("no significant difference was found among 3 architectures");
    }

    [Fact]
    public void A_bootstrap_interval_holds_the_mean_and_is_the_same_for_the_same_seed()
    {
        double[] values = [.. Enumerable.Range(0, 50).Select(i => (double)i)];
        (double low, double high) = Significance.Bootstrap(50, drawn => drawn.Average(i => values[i]), 1000, 3);
        low.ShouldBeInRange(19, 22); // 24.5 - 1.96 * 14.58 / sqrt(50) = 20.5
        high.ShouldBeInRange(27, 30);
        Significance.Bootstrap(50, drawn => drawn.Average(i => values[i]), 1000, 3).ShouldBe((low, high));
    }

    [Fact]
    public void Rank_correlations_stand_beside_their_ceiling_and_the_predictors_that_need_no_training()
    {
        GapRow[] noise = [.. Enumerable.Range(0, 10).Select(i => new GapRow($"a{i}", i, i, [i, (i * 7) % 10], null))];
        GapReport none = GapReport.Of("x", noise, 1);
        none.Ceiling.Value.ShouldBeLessThan(GapReport.LeastCeiling);
        none.HasSignal.ShouldBeFalse();
        none.Trivial.Select(t => t.Name).ShouldBe(["multiply-adds"]);
        GapRow[] clear = [.. Enumerable.Range(0, 10).Select(
            i => new GapRow($"a{i}", 10 - i, i, [i, i + 0.5], 9 - i) { Parameters = i, Initial = new(i, -i) })];
        GapReport said = GapReport.Of("x", clear, 1);
        said.Ceiling.Value.ShouldBe(1);
        said.Tau.Value.ShouldBe(1);
        said.Trivial.Select(t => (t.Name, t.Tau.Value, t.Regret.Value))
            .ShouldBe([("multiply-adds", -1, 9), ("parameters", 1, 0), ("synflow", 1, 0), ("jacobian covariance", -1, 9)]);
        said.TauOfSetting!.Value.ShouldBe(-1);
        said.RegretAtOne.Value.ShouldBe(0);
        said.RegretOfRandomPick.ShouldBe(4.5, 1e-12);
        said.LevelGap.ShouldBe(0.25, 1e-12);
    }

    [Fact]
    public void Survival_costs_and_accuracy_are_read_off_the_cells()
    {
        // The reference scores block b best in both layers; the arm keeps b in one of them and a in the other, at half the images.
        TrialResult[] trials = [.. new long[] { 1, 2 }.SelectMany(seed => new[]
        {
            Trial("full", seed, 1000, [["a", "b"], ["a", "b"]], [[0.2, 0.8], [0.1, 0.9]], 0.8),
            Trial("pruned", seed, 500, [["b"], ["a"]], [[0.3, 0.7], [0.6, 0.4]], 0.7 + (0.01 * seed)),
        })];
        IReadOnlyList<EvidenceTable> tables = Claims.Of(new("x", ["full", "pruned"], "full", trials));
        IReadOnlyList<string> survival = tables.Single(t => t.Claim.StartsWith("DA3", StringComparison.Ordinal)).Rows.Single();
        survival[0].ShouldBe("pruned");
        survival[2].ShouldBe("0.50 ± 0.00");
        survival[3].ShouldBe("0.50"); // One of two blocks is left in each layer.
        survival[4].ShouldBe("1.00"); // The reference's other seed has the same best blocks.
        survival[6].ShouldStartWith("0.00"); // Tau +1 in one layer and -1 in the other.
        tables.Single(t => t.Claim == "DA4").Rows[0][2].ShouldBe("2.00 ± 0.00");
        EvidenceTable accuracy = tables.Single(t => t.Claim == "DA5");
        accuracy.Rows.Single(r => r[0] == "pruned")[4].ShouldBe("-0.0850 ± 0.0050");
        accuracy.Findings.Single(f => f.StartsWith("pruned:", StringComparison.Ordinal)).ShouldContain("worse than full");
        TrialResult.FromJson(trials[1].ToJson(), "x").ToJson().ShouldBe(trials[1].ToJson());
        Should.Throw<InvalidDataException>(() => TrialResult.FromJson("{ \"experiment\": 1 }", "trial.json")).Message
            .ShouldContain("trial.json");
    }

    /// <summary>
    /// Three seeds, layers of (a, b) and (a, b, c). Of the pairs' taus a layer, seeds 1 and 2 have (1, 1), 1 and 3 (-1, 1/3), 2 and 3 (-1,
    /// 1/3): means 1, -1/3, -1/3, in all 1/9. In the fourth trial b of layer 2 was quarantined, unscored in one and absent in another: it
    /// counts in neither.
    /// </summary>
    [Fact]
    public void First_scores_are_compared_between_seeds_block_by_block()
    {
        TrialResult Scored(long seed, ValueList<ValueList<string>> alive, ValueList<ValueList<double>> scores) =>
            Trial("full", seed, 1000, alive, scores, 0.8) with
            {
                Stages = [new(4, alive, scores, 1, 0.5)],
                ImagesToFirstScores = 500,
                BlockMacs = [[new("a", 1), new("b", 2)], [new("a", 1), new("b", 5), new("c", 3)]],
            };
        ValueList<ValueList<string>> all = [["a", "b"], ["a", "b", "c"]];
        TrialResult[] trials = [Scored(1, all, [[1, 2], [1, 2, 3]]), Scored(2, all, [[3, 4], [2, 3, 4]]),
            Scored(3, all, [[2, 1], [1, 3, 2]])];
        IReadOnlyList<string> row = AgreementTables.FirstScores(new("x", ["full"], "full", trials))!.Rows.Single();
        row.Take(5).ShouldBe(["full", "3", "3", "500", "0.11"]); // Too few seeds for an interval.
        TrialResult[] hurt = [trials[0], Scored(2, all, [[3, 4], [2, double.NaN, 4]]),
            Scored(3, [["a", "b"], ["a", "c"]], [[1, 2], [1, 2]])];
        AgreementTables.FirstScores(new("x", ["full"], "full", hurt))!.Rows.Single()[4].ShouldBe("1.00");
        TrialResult[] five = [.. trials, Scored(4, all, [[1, 2], [1, 2, 3]]), Scored(5, all, [[1, 2], [1, 2, 3]])];
        AgreementTables.FirstScores(new("x", ["full"], "full", five))!.Rows.Single()[4].ShouldMatch(@"^0\.\d\d \[-?\d\.\d\d, 1\.00\]$");
        AgreementTables.FirstScores(new("x", ["full"], "full", [trials[0] with { Stages = [] }, trials[1] with { Stages = [] }]))
            .ShouldBeNull();
    }

    [Fact]
    public void Choices_are_held_against_a_table_within_the_budget()
    {
        // Means 0.50, 0.60, 0.70, 0.80 and, over the budget, 0.95: the best within it is d, a random one loses 0.80 - 0.65 = 15 points.
        ProbeRow Row(string name, long macs, double mean) => new(name, macs, macs, [mean - 0.01, mean + 0.01], null);
        ProbeReport table = ProbeReport.Of("x", 5, 1, [Row("a", 10, 0.5), Row("b", 20, 0.6), Row("c", 40, 0.7), Row("d", 30, 0.8),
            Row("over", 50, 0.95)], 1);
        TrialResult Chosen(string arm, long seed, string winner, long macs) =>
            Trial(arm, seed, 1000, [["a"]], [], 0.8) with { Budget = 40, Models = [new("winner", winner, macs, 0.8, [])] };
        EvidenceTable Of(params TrialResult[] trials) => TruthTables.Regret(
            new TrialMatrix("x", ["da-nas", "other"], "da-nas", trials), table);
        EvidenceTable truth = Of(Chosen("da-nas", 1, "c", 40), Chosen("da-nas", 2, "d", 30), Chosen("other", 1, "d", 30),
            Chosen("other", 2, "d", 30));
        // Regrets 10 and 0; places 2.5 and 3.5 of 4; t = (15 - 5) / 5 = 2 with one degree of freedom: 0.5 - atan(2) / pi = 0.148.
        truth.Rows[0].ShouldBe(["da-nas", "2", "5.00", "75", "0.148", "-"]);
        truth.Rows[1].ShouldBe(["other", "2", "0.00", "88", "all chose alike", "-"]);
        truth.Rows[2].ShouldBe(["a random architecture within the budget", "-", "15.00", "50", "-", "-"]);
        truth.Rows[3].ShouldBe(["most MACs", "-", "10.00", "63", "-", "-"]);
        // Supernet accuracies of a, b, c, d and "over": one of ten pairs against the table (0.8), and all of them (-1).
        TrialResult Knowing(long seed, params double[] supernet) => Chosen("da-nas", seed, "d", 30)
            with
        { Candidates = supernet.Select((a, i) => new TrialCandidate(table.Rows[i].Architecture, a)).ToValueList() };
        Of(Knowing(1, 0.1, 0.2, 0.4, 0.3, 0.5), Knowing(2, 0.5, 0.4, 0.3, 0.2, 0.1), Knowing(3, 0.1, 0.2)).Rows[0][^1]
            .ShouldBe("-0.10 (2 searches, 5 candidates)");
        // Ten architectures within a budget of 109: five of mean 0.40, and near it f to j of 0.60 to 0.80. A random one loses 25 points,
        // one near the budget 10. Two choices of 0.75 and 0.80 against 0.70: t = 0.075 / 0.025 = 3, p = 0.5 - atan(3) / pi.
        ProbeReport wide = ProbeReport.Of("x", 10, 1, [.. Enumerable.Range(0, 10).Select(
            i => Row($"{(char)('a' + i)}", i < 5 ? 10 + i : 100 + i, i < 5 ? 0.4 : 0.6 + (0.05 * (i - 5))))], 1) with
        { Split = "test" };
        EvidenceTable near = TruthTables.Regret(new TrialMatrix("x", ["da-nas"], "da-nas",
            [Chosen("da-nas", 1, "i", 108) with { Budget = 109 }, Chosen("da-nas", 2, "j", 109) with { Budget = 109 }]), wide);
        near.Title.ShouldContain("test accuracy");
        near.Rows[0].Take(5).ShouldBe(["da-nas", "2", "2.50", "90", "0.102"]);
        near.Rows[1].Take(3).ShouldBe(["a random architecture within the budget", "-", "25.00"]);
        near.Rows[2].Take(4).ShouldBe(["a random architecture with at least 0.9 of the budget", "-", "10.00", "75"]);
        near.Findings
            .ShouldContain(f => f.StartsWith("5 of the architectures within the budget cost at least 0.9 of it", StringComparison.Ordinal));
        near.Findings.ShouldNotContain(f => f.Contains("validation images", StringComparison.Ordinal));
        EvidenceTable partly = Of(Chosen("da-nas", 1, "c", 40), Chosen("da-nas", 2, "d", 30), Chosen("da-nas", 3, "over", 50),
            Chosen("da-nas", 4, "new", 20));
        partly.Rows[0].ShouldBe(["da-nas", "2 of 4", "5.00", "75", "-", "-"]);
        partly.Findings[^2].ShouldBe("Over the budget and excluded: over.");
        partly.Findings[^1].ShouldStartWith("Not in the table and excluded: new.");
        (TrialResult[] Trials, string Said)[] apart =
        [
            ([Chosen("da-nas", 1, "c", 40), Chosen("other", 1, "d", 30) with { Budget = 30 }], "different budgets"),
            ([Chosen("da-nas", 1, "c", 40) with { Budget = null }], "do not record their budget"),
            ([Chosen("da-nas", 1, "c", 39)], "40 MACs in the table and 39"),
            ([], "No search has chosen"),
        ];
        foreach ((TrialResult[] trials, string said) in apart)
        {
            EvidenceTable none = Of(trials);
            none.Rows.ShouldBeEmpty();
            none.Findings.Single().ShouldContain(said);
        }

        TruthTables.Regret(new TrialMatrix("x", ["da-nas"], "da-nas", [Chosen("da-nas", 1, "c", 40)]),
            table with { Data = "another" }).Findings.Single().ShouldContain("other data");
    }

    /// <summary>A winner of two seeds counts by their mean; if the controls have another recipe, by its training of that.</summary>
    [Fact]
    public void A_winner_is_compared_as_its_controls_were_trained()
    {
        TrialResult trial = Trial("full", 1, 1000, [["b"], ["a"]], [], 0.8) with
        {
            Models = [new("winner", "a", 100, 0.8, []),
            new("control-1", "b", 100, 0.6, []), new("winner-seed2", "a", 100, 0.7, []), new("control-1-seed2", "b", 100, 0.5, [])]
        };
        trial.ComparedAccuracy.ShouldBe(0.75, 1e-12);
        (trial with
        {
            Models = [new("winner", "a", 100, 0.9, []), new("winner-compared", "a", 100, 0.5, []),
            new("control-1", "b", 100, 0.6, [])]
        }).ComparedAccuracy.ShouldBe(0.5);
    }

    /// <summary>
    /// Two proxies, two seeds of other images, an arm that shares the first one's pass; costs of passes count where classes are left out.
    /// </summary>
    [Fact]
    public void Difficulty_is_compared_on_the_same_pictures_and_passes_that_are_shared_count_once()
    {
        TrialResult Pass(string arm, long seed, string block, ValueList<double> difficulty, int late) =>
            Trial(arm, seed, 1000, [["a"], ["b"]], [], 0.5) with
            {
                ProxyBlock = block,
                Difficulty = difficulty,
                KnownDifficulty = [1, 2, 3, 4],
                Proxies = [[[0.9, 0.1, 0.1, 0.1], [0.9, 0.9, late < 2 ? 0.9 : 0.1, 0.1], [0.9, 0.9, 0.9, 0.9]]],
                Work = new(StringComparer.Ordinal)
                {
                    [TrialResult.Supernet] = new(1000, 0, 0, 0, 1),
                    [TrialResult.DifficultyPass] = new(1000, 0, 0, 0, 1)
                },
                Stages = [new(arm == "all" ? 4 : 2, [["a", "b"], ["a", "b"]], [], 1, 0.5)],
            };
        TrialResult[] trials =
        [
            Pass("one", 1, "k3e1", [1, 2, 3, 4], 1), Pass("one", 2, "k3e1", [4, 3, 2, 1], 1), Pass("same", 1, "k3e1", [1, 2, 3, 4], 1),
                Pass("same", 2, "k3e1", [4, 3, 2, 1], 1),
            Pass("two", 1, "k3e6", [1, 2, 3, 4], 2), Pass("two", 2, "k3e6", [4, 3, 2, 1], 2), Pass("all", 1, "k3e6", [1, 2, 3, 4], 2),
                Pass("all", 2, "k3e6", [4, 3, 2, 1], 2),
        ];
        IReadOnlyList<EvidenceTable> tables = Claims.Of(new("x", ["one", "same", "two", "all"], "all", trials));
        EvidenceTable agreement = tables.Single(t => t.Claim == "DA1");
        agreement.Rows.Select(r => string.Join(' ', r.Take(3))).ShouldBe(["one -1.00 1.00", "two 1.00 -1.00"]);
        agreement.Findings.Single().ShouldContain("the same images: 1.00 (1.00 to 1.00, 2 pairs)");
        agreement.Findings.Single().ShouldContain("other images: -1.00 (-1.00 to -1.00, 2 pairs)");
        EvidenceTable convergence = tables.Single(t => t.Claim == "DA2");
        convergence.Rows.Select(r => r[0]).ShouldBe(["one", "two", "all arms"]);
        convergence.Rows[0].Skip(2).Take(2).ShouldBe(["1.5", "2.5"]); // Points 1, 2 | 2, 3.
        convergence.Rows[1].Skip(2).Take(2).ShouldBe(["1.5", "3.0"]); // Points 1, 2 | 3, 3.
        tables.Single(t => t.Claim == "DA4").Rows[1].Skip(2).ShouldBe(["0.50 ± 0.00", "0.50 ± 0.00", "0.50 ± 0.00"]);
    }

    private static TrialResult Trial(string arm, long seed, long images, ValueList<ValueList<string>> survivors,
        ValueList<ValueList<double>> scores, double accuracy) => new(
        "x",
        arm,
        seed,
        "settings",
        "c",
        "f",
        "d",
        "w",
        "cpu",
        new(StringComparer.Ordinal) { [TrialResult.Supernet] = new(images, images, images * 10, images * 2, 1) },
        [],
        [],
        [],
        [new(4, [["a", "b"], ["a", "b"]], scores, 1, 0.5)],
        survivors,
        [new("winner", "a", 100, accuracy, []), new("control-1", "b", 100, 0.6, [])]);
}
