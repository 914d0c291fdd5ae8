namespace DaNas.Domain.Searches;

/// <summary>A decision in a journal that this version would not make on the same evidence.</summary>
public sealed record ReplayDifference(long Sequence, SearchEvent Recorded, SearchEvent? Expected);
