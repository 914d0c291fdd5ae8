namespace DaNas.Actors.Wire;

/// <summary>What stands beside an event in its row.</summary>
public readonly record struct RowHead(long Sequence, long CreatedTicks, string Manifest);
