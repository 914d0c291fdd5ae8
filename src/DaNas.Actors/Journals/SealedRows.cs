namespace DaNas.Actors.Journals;

/// <summary>Events made ready for the store, and the head that the journal has when they are in it.</summary>
public sealed record SealedRows(IReadOnlyList<Row> Rows, Head Head);
