namespace DaNas.Domain.Configuration;

/// <summary>How many rounds' blobs are kept behind the newest one, besides every stage's end.</summary>
public sealed record BlobOptions(int KeepRounds)
{
    internal static BlobOptions Read(ConfigSection s) => new(s.Int("keep-rounds", 1, 1_000_000));
}
