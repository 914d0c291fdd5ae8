namespace DaNas.Actors.Journals;

/// <summary>The newest event that was acknowledged: its sequence number and its link of the hash chain.</summary>
public sealed record Head(long Sequence, string Chain);
