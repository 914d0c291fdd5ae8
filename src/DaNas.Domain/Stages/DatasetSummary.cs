using DaNas.Domain.Values;

namespace DaNas.Domain.Stages;

/// <summary>What the search knows of its data: class names and images a class in each split. Names a data set by its fingerprint.</summary>
public sealed record DatasetSummary(
    string Name, Digest Fingerprint, ValueList<string> Classes, ValueList<int> Weights, ValueList<int> Validation, ValueList<int> Test)
{
    public long TrainImages => Weights.Sum(n => (long)n) + Validation.Sum(n => (long)n);
}
