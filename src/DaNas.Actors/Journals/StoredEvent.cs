namespace DaNas.Actors.Journals;

/// <summary>
/// An event as it stands in the journal: sequence number from 1, when it was stored, by which writer, and its link of the hash chain.
/// </summary>
public sealed record StoredEvent(long Sequence, DateTimeOffset Created, string Manifest, object Event)
{
    public long Epoch { get; init; }

    public string Chain { get; init; } = string.Empty;
}
