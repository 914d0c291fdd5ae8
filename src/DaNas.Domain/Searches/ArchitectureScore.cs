namespace DaNas.Domain.Searches;

public sealed record ArchitectureScore(int Rank, double Accuracy, double Loss);
