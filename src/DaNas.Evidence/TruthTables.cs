using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>
/// What searches chose, held against a table of architectures that were trained by themselves. Regret is the best mean accuracy of the
/// table's architectures within the budget, less that of the choice, in points; the percentile is the share of them that are worse (ties,
/// the choice itself among them, count half).
/// </summary>
public static class TruthTables
{
    /// <summary>Random search and random candidates are drawn from about so much of the budget on.</summary>
    private const double Nearly = 0.9;

    /// <summary>Of fewer architectures no rank correlation is given.</summary>
    private const int LeastRows = 5;

    private const string SharedLuck = "; a search that chose on the same validation images shares a part of that luck";

    private sealed record Arm(string Name, TrialResult[] All, ProbeRow[] Found)
    {
        public int Trials => All.Length;
    }

    /// <summary>The table; without rows, and with the reason, where searches and table do not belong together.</summary>
    public static EvidenceTable Regret(TrialMatrix matrix, ProbeReport truth)
    {
        TrialResult[] trials = [.. matrix.Trials.Where(c => c.Models.Count > 0)];
        long?[] budgets = [.. trials.Select(c => c.Budget).Distinct()];
        if (trials.Length == 0 || budgets is not [{ } budget])
            return Table(truth, [], [trials.Length == 0 ? "No search has chosen an architecture yet." : budgets.Contains(null)
                ? "Results from versions before 0.4 do not record their budget: repeat those searches."
                : "The searches have different budgets, and regret is against the best within one: use a separate " +
                    "experiment for each budget."]);
        if (Mismatch(trials, truth) is { } reason)
            return Table(truth, [], [reason]);
        ProbeRow[] within = [.. truth.Rows.Where(r => r.Macs <= budget)];
        Dictionary<string, ProbeRow> known = within.ToDictionary(r => r.Architecture, StringComparer.Ordinal);
        Arm[] arms = [.. matrix.Arms.Select(a => new Arm(a, [.. trials.Where(c => c.Arm == a)], [.. trials.Where(c => c.Arm == a)
            .Select(c => known.GetValueOrDefault(c.Winner.Architecture)).OfType<ProbeRow>()])).Where(a => a.Trials > 0)];
        string[] over = Names(trials.Where(c => c.Winner.Macs > budget));
        string[] missing = Names(trials.Where(c => c.Winner.Macs <= budget && !known.ContainsKey(c.Winner.Architecture)));
        return Table(truth, within.Length == 0 ? [] : Rows(arms, within, truth, budget), [
            Invariant($"{within.Length} of the table's {truth.Rows.Count} architectures are within the budget of {budget:N0} " +
                $"MACs{(within.Length == 0 ? string.Empty : Invariant($", from {within.Min(r => r.Macs):N0} on"))}."),
            Invariant($"Two trainings of the table order its architectures with Kendall's tau-b {truth.Ceiling.Text}; architectures " +
                $"differ by {100 * truth.Spread:0.0} points, one training by {100 * truth.Noise:0.0}. The best of a table of means is " +
                $"partly the luckiest, so regret is somewhat too large{(truth.Split == "validation" ? SharedLuck : string.Empty)}."),
            .. Near(within, budget) is { Length: >= LeastRows } near ? (string[])[NearTheBudget(near)] : [],
            "Tau of its supernet: Kendall's tau-b between what a search's candidates reach with the supernet's weights and in the table; " +
                "mean over the searches with five such candidates or more. Candidates are chosen by score or at random among the blocks " +
                "that the arm has left, so do not use it to compare arms with different candidates.",
            "p: one-sided t-test against the mean of the architectures within the budget, or of those near it if that is higher, " +
                "corrected by Holm's rule; none where choices were left out, since what is left would be a selected sample.",
            .. over.Length == 0 ? [] : (string[])[$"Over the budget and excluded: {string.Join(", ", over)}."],
            .. missing.Length == 0 ? [] : (string[])[$"Not in the table and excluded: {string.Join(", ", missing)}. 'danas space probe " +
                $"CONF --all --any-cost' trains a whole space."],
        ]);
    }

    private static EvidenceTable Table(ProbeReport truth, IReadOnlyList<IReadOnlyList<string>> rows, IReadOnlyList<string> findings) => new(
        "Truth",
        Invariant($"regret against architectures trained {truth.Rows[0].Alone.Count} times each, {truth.Split} accuracy in points (mean " +
            $"over seeds, with its 95 % interval by bootstrap over five seeds or more)"),
        ["choice", "seeds", "regret", "percentile", "p (better than a random architecture)", "tau of its supernet"],
        rows,
        findings);

    private static IReadOnlyList<IReadOnlyList<string>> Rows(Arm[] arms, ProbeRow[] within, ProbeReport truth, long budget)
    {
        double best = within.Max(r => r.Mean);
        ProbeRow[] near = Near(within, budget);
        double random = best - within.Average(r => r.Mean), dear = near.Length < LeastRows
            ? double.PositiveInfinity : best - near.Average(r => r.Mean);
        double Lost(ProbeRow r) => best - r.Mean;
        IReadOnlyList<double> better = Significance.Holm([.. arms.Select(a => a.Found.Length < a.Trials || OneChoice(a)
            ? double.NaN : Significance.PairedGreater(a.Found.Select(r => Math.Min(random, dear) - Lost(r))))]);
        List<IReadOnlyList<string>> rows = [.. arms.Select((a, i) => (IReadOnlyList<string>)[
            a.Name, Invariant($"{a.Found.Length}{(a.Found.Length < a.Trials ? Invariant($" of {a.Trials}") : string.Empty)}"),
                a.Found.Length == 0 ? "-" : WithInterval.OverSeeds(a.Found.Length, drawn => 100 * drawn.Average(i => Lost(a.Found[i])),
                "truth"), a.Found.Length == 0 ? "-" : Invariant($"{a.Found.Average(r => Percentile(r.Mean, within)):0}"),
            a.Found.Length == a.Trials && OneChoice(a) ? "all chose alike" : Significance.Text(better[i]), SupernetTau(a, truth)])];
        rows.Add(["a random architecture within the budget", "-", Invariant($"{100 * random:0.00}"), "50", "-", "-"]);
        if (near.Length >= LeastRows)
            rows.Add([Invariant($"a random architecture with at least {Nearly} of the budget"), "-", Invariant($"{100 * dear:0.00}"),
                Invariant($"{near.Average(r => Percentile(r.Mean, within)):0}"), "-", "-"]);
        double[] means = [.. within.Select(r => r.Mean)];
        foreach ((string name, Func<ProbeRow, double> of) in Untrained(within))
        {
            double regret = RankStatistics.RegretAtOne([.. within.Select(of)], means);
            rows.Add([$"most {name}", "-", Invariant($"{100 * regret:0.00}"),
                Invariant($"{Percentile(best - regret, within):0}"), "-", "-"]);
        }

        return rows;
    }

    private static IEnumerable<(string Name, Func<ProbeRow, double> Of)> Untrained(ProbeRow[] rows) =>
    [
        ("MACs", r => r.Macs), ("parameters", r => r.Parameters),
        .. rows.Any(r => r.Initial is null) ? [] : ((string, Func<ProbeRow, double>)[])[("synflow", r => r.Initial!.LogSynflow),
            ("jacobian covariance", r => r.Initial!.JacobianCovariance)],
    ];

    private static string SupernetTau(Arm arm, ProbeReport truth)
    {
        Dictionary<string, double> known = truth.Rows.ToDictionary(r => r.Architecture, r => r.Mean, StringComparer.Ordinal);
        (double Tau, int Candidates)[] taus = [.. arm.All.Select(
            c => (c.Candidates ?? []).Where(x => known.ContainsKey(x.Architecture)).ToArray()).Where(c => c.Length >= LeastRows)
            .Select(c => (RankStatistics.KendallTauB([.. c.Select(x => x.Supernet)], [.. c.Select(x => known[x.Architecture])]), c.Length))
                .Where(t => double.IsFinite(t.Item1))];
        return taus.Length == 0 ? "-" : Invariant(
            $"{WithInterval.OverSeeds(taus.Length, drawn => drawn.Average(i => taus[i].Tau), "supernet")} ({taus.Length} searches, " +
                $"{taus.Average(t => t.Candidates):0.#} candidates)");
    }

    private static ProbeRow[] Near(ProbeRow[] within, long budget) => [.. within.Where(r => r.Macs >= Nearly * budget)];

    /// <summary>
    /// Why table and searches do not belong together, as far as both say what they stand on; null: nothing speaks against it.
    /// </summary>
    private static string NearTheBudget(ProbeRow[] near)
    {
        WithInterval tau = WithInterval.Of(
            RankStatistics.KendallTauB, [.. near.Select(r => r.Alone[0])], [.. near.Select(r => r.Alone[1])],
                SeededRandom.Derive(1, "near"));
        return Invariant($"{near.Length} of the architectures within the budget cost at least {Nearly} of it: means from " +
            $"{near.Min(r => r.Mean):0.0000} to {near.Max(r => r.Mean):0.0000}; two trainings order them with tau {tau.Text}.");
    }

    private static string? Mismatch(TrialResult[] trials, ProbeReport truth)
    {
        if (truth.Data is { } data && trials.FirstOrDefault(c => c.DataFingerprint != data) is { } other)
            return Invariant($"The table was trained on other data ({data[..Math.Min(12, data.Length)]}) than {other.Arm}, seed " +
                $"{other.Seed} ({other.DataFingerprint[..Math.Min(12, other.DataFingerprint.Length)]}): recreate it with " +
                $"'danas space probe'.");
        Dictionary<string, long> macs = truth.Rows.ToDictionary(r => r.Architecture, r => r.Macs, StringComparer.Ordinal);
        return trials.FirstOrDefault(c => macs.TryGetValue(c.Winner.Architecture, out long known) && known != c.Winner.Macs) is { } wrong
            ? Invariant($"{wrong.Winner.Architecture} has {macs[wrong.Winner.Architecture]:N0} MACs in the table and " +
                $"{wrong.Winner.Macs:N0} in {wrong.Arm}, seed {wrong.Seed}: the search space or resolution differs; recreate the table " +
                $"with 'danas space probe'.")
            : null;
    }

    /// <summary>No variation that a t-test could judge.</summary>
    private static bool OneChoice(Arm arm) => arm.Found.Length > 1 && arm.Found.Max(r => r.Mean) - arm.Found.Min(r => r.Mean) < 1e-9;

    private static string[] Names(IEnumerable<TrialResult> trials) =>
        [.. trials.Select(c => c.Winner.Architecture).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static double Percentile(double accuracy, ProbeRow[] all) =>
        100.0 * all.Sum(r => Math.Abs(r.Mean - accuracy) < 1e-9 ? 0.5 : r.Mean < accuracy ? 1 : 0) / all.Length;
}
