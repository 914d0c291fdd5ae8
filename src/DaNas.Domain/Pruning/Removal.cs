namespace DaNas.Domain.Pruning;

/// <summary>A block that leaves the search: its score, the value that it fell short of, and the rule in words.</summary>
public sealed record Removal(int Layer, string Block, double Score, double Cut, string Reason);
