namespace DaNas.Evidence;

/// <summary>The claims of DA-NAS that a matrix of searches can speak to (docs/evidence.md).</summary>
public static class Claims
{
    /// <summary>Every table for which the matrix has trials.</summary>
    public static IReadOnlyList<EvidenceTable> Of(TrialMatrix matrix) =>
    [
        .. ((EvidenceTable?[])[DifficultyTables.Agreement(matrix), DifficultyTables.Convergence(matrix),
            AgreementTables.FirstScores(matrix), SurvivalTables.Survival(matrix), CostTables.Ratios(matrix), CostTables.Absolute(matrix),
            AccuracyTables.Compare(matrix)]).OfType<EvidenceTable>(),
    ];
}
