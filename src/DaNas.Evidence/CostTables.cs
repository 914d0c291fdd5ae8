namespace DaNas.Evidence;

/// <summary>DA4 and DA7: what a search costs beside the reference, in every currency that is counted.</summary>
public static class CostTables
{
    private static readonly (string Name, Func<CellResult, double> Of)[] Currencies =
    [
        ("images forward", c => c.Search.ForwardImages),
        ("images forward, with the difficulty pass", c => (c.Search + c.WorkOf(CellResult.DifficultyPass)).ForwardImages),
        ("images backward", c => c.Search.BackwardImages),
        ("images backward, with the difficulty pass", c => (c.Search + c.WorkOf(CellResult.DifficultyPass)).BackwardImages),
        ("multiply-adds forward", c => c.Search.ForwardMacs),
        ("candidate-forwards", c => c.Search.CandidateForwards),
        ("seconds of units", c => c.Search.Seconds),
    ];

    /// <summary>Search cost of the reference over that of each arm: above 1, the arm is cheaper. Ratios of cells of one seed, averaged.</summary>
    public static EvidenceTable? Ratios(CellMatrix matrix)
    {
        string[] arms = [.. matrix.Arms.Where(a => a != matrix.Reference && matrix.Paired(a).Any())];
        if (arms.Length == 0)
            return null;
        List<IReadOnlyList<string>> rows = [];
        foreach ((string name, Func<CellResult, double> of) in Currencies)
            rows.Add([name, matrix.Of(matrix.Reference).Any() ? Text(matrix.Of(matrix.Reference).Average(of)) : "-", .. arms.Select(a => MeanError.Of(matrix.Paired(a).Select(p => of(p.Reference) / of(p.Cell))).Text("0.00"))]);
        return new(
            "DA4",
            $"search cost of {matrix.Reference} over that of each arm (mean ± standard error over seeds)",
            ["counted", matrix.Reference, .. arms],
            rows,
            ["Search cost: supernet training, evidence and the comparison of candidates; retraining is the same for all. Seconds are the units' own clocks on a machine that had other work."]);
    }

    /// <summary>DA7: what each arm's search costs by itself.</summary>
    public static EvidenceTable? Absolute(CellMatrix matrix)
    {
        string[] arms = [.. matrix.Arms.Where(a => matrix.Of(a).Any())];
        if (arms.Length < 2)
            return null;
        IReadOnlyList<string>[] rows = [.. arms.Select(a => (IReadOnlyList<string>)[a, .. Currencies.Select(c => Text(matrix.Of(a).Average(c.Of)))])];
        return new("DA7", "search cost of each arm (mean over seeds)", ["arm", .. Currencies.Select(c => c.Name)], rows, []);
    }

    private static string Text(double value) => value.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);
}
