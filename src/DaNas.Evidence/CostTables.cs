namespace DaNas.Evidence;

/// <summary>DA4 and DA7: what a search costs beside the reference, in every currency that is counted.</summary>
public static class CostTables
{
    private static readonly (string Name, Func<PhaseWork, double> Of)[] Currencies =
    [
        ("images forward", w => w.ForwardImages),
        ("images backward", w => w.BackwardImages),
        ("MACs forward", w => w.ForwardMacs),
        ("candidate-forwards", w => w.CandidateForwards),
        ("seconds of units", w => w.Seconds),
    ];

    /// <summary>
    /// Search cost of the reference over that of each arm: above 1, the arm is cheaper. Ratios of trials of one seed, averaged.
    /// </summary>
    public static EvidenceTable? Ratios(TrialMatrix matrix)
    {
        string[] arms = [.. matrix.Arms.Where(a => a != matrix.Reference && matrix.Paired(a).Any())];
        if (arms.Length == 0)
            return null;
        List<IReadOnlyList<string>> rows = [];
        foreach ((string name, Func<PhaseWork, double> of) in Currencies)
        {
            string reference = matrix.Of(matrix.Reference).Any() ? Text(matrix.Of(matrix.Reference).Average(c => of(c.Search))) : "-";
            rows.Add([name, reference,
                .. arms.Select(a => MeanError.Of(matrix.Paired(a).Select(p => of(p.Reference.Search) / of(p.Trial.Search))).Text("0.00"))]);
            rows.Add([$"{name}, with difficulty passes", reference, .. arms
                .Select(a => MeanError.Of(matrix.Paired(a).Select(p => of(WithPass(p.Reference)) / of(WithPass(p.Trial)))).Text("0.00"))]);
        }

        return new(
            "DA4",
            $"search cost of {matrix.Reference} over that of each arm (mean ± standard error over seeds)",
            ["counted", matrix.Reference, .. arms],
            rows,
            ["Search cost: supernet training, evidence and the comparison of candidates; retraining is the same for all. A difficulty " +
                "pass is counted only for searches that use a subset of the classes in some stage; the other searches also run one, but " +
                "do not need it. Seconds are measured by the units themselves on a machine with other load."]);
    }

    /// <summary>DA7: what each arm's search costs by itself.</summary>
    public static EvidenceTable? Absolute(TrialMatrix matrix)
    {
        string[] arms = [.. matrix.Arms.Where(a => matrix.Of(a).Any())];
        if (arms.Length < 2)
            return null;
        IReadOnlyList<string>[] rows = [.. arms.Select(a => (IReadOnlyList<string>)[a, .. Currencies.Select(c => Text(matrix.Of(a)
            .Average(x => c.Of(x.Search)))), Text(matrix.Of(a).Average(x => x.WorkOf(TrialResult.DifficultyPass).ForwardImages))])];
        return new("DA7", "search cost of each arm (mean over seeds)",
            ["arm", .. Currencies.Select(c => c.Name), "images of the difficulty pass"], rows, []);
    }

    private static PhaseWork WithPass(TrialResult trial) => trial.Stages.Any(s => s.Classes < trial.Difficulty.Count)
        ? trial.Search + trial.WorkOf(TrialResult.DifficultyPass) : trial.Search;

    private static string Text(double value) => value.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);
}
