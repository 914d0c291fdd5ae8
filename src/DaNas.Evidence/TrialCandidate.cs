using DaNas.Domain.Architectures;

namespace DaNas.Evidence;

/// <summary>A candidate of the last ranking and its accuracy with the supernet's weights, on validation images.</summary>
public sealed record TrialCandidate(string Architecture, double Supernet);
