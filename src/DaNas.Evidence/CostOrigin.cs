namespace DaNas.Evidence;

/// <summary>The settings of the trial whose cost another one has, and the candidates that it was enough for.</summary>
public sealed record CostOrigin(string Arm, string Settings, int Candidates);
