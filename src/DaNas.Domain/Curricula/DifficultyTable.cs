using DaNas.Domain.Values;

namespace DaNas.Domain.Curricula;

/// <summary>
/// Held-out accuracy and cross-entropy of each class at each point of a proxy's training: [points][classes], one table a seed.
/// </summary>
public sealed record DifficultyTable(ValueList<ValueList<double>> Accuracy, ValueList<ValueList<double>> Loss);
