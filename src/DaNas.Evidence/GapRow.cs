using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>
/// One architecture of the truth table: MACs, accuracy with the supernet's weights, and accuracies from scratch, one a seed (of the test
/// split, or of the split of a given table).
/// </summary>
public sealed record GapRow(string Architecture, long Macs, double Supernet, ValueList<double> Alone, double? ShortAlone)
{
    public double Truth => Alone.Average();

    public long? Parameters { get; init; }

    /// <summary>What the untrained network told; null in reports before 0.4.</summary>
    public InitialScores? Initial { get; init; }
}
