namespace DaNas.Evidence;

/// <summary>All trials of an experiment by arm; the arm that the others are held against.</summary>
public sealed record TrialMatrix(string Name, IReadOnlyList<string> Arms, string Reference, IReadOnlyList<TrialResult> Trials)
{
    /// <summary>Accuracies within this fraction of each other count as equal.</summary>
    public double Margin { get; init; } = 0.01;

    public IEnumerable<TrialResult> Of(string arm) => Trials.Where(c => c.Arm == arm).OrderBy(c => c.Seed);

    public TrialResult? At(string arm, long seed) => Trials.FirstOrDefault(c => c.Arm == arm && c.Seed == seed);

    /// <summary>Trials of an arm beside the reference trial of the same seed.</summary>
    public IEnumerable<(TrialResult Trial, TrialResult Reference)> Paired(string arm) =>
        Of(arm).Select(c => (c, At(Reference, c.Seed))).Where(p => p.Item2 is not null).Select(p => (p.c, p.Item2!));
}
