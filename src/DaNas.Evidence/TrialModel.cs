using DaNas.Domain.Architectures;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>A retrained architecture.</summary>
public sealed record TrialModel(string Run, string Architecture, long Macs, double TestAccuracy, ValueList<double> PerClass);
