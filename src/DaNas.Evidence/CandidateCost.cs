namespace DaNas.Evidence;

/// <summary>MACs of a candidate block for one image.</summary>
public sealed record CandidateCost(string Block, long Macs);
