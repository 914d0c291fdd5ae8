using DaNas.Actors.Wire;

namespace DaNas.Actors.Journals;

/// <summary>One row of the journal table.</summary>
public readonly record struct Row(RowHead Head, byte[] Message);
