using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>A stage: how many classes it saw, its alive blocks [layer][block] and their scores at its end (empty in a warm-up).</summary>
public sealed record TrialStage(int Classes, ValueList<ValueList<string>> Alive, ValueList<ValueList<double>> Scores,
    double Loss, double Accuracy);
