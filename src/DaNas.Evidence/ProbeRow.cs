using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>One architecture of a probe: its costs, accuracies from scratch, one a seed, and what the untrained network told.</summary>
public sealed record ProbeRow(string Architecture, long Macs, long Parameters, ValueList<double> Alone, InitialScores? Initial)
{
    public double Mean => Alone.Average();
}
