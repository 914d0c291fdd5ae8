namespace DaNas.Domain.Configuration;

public sealed record RoundOptions(int Shards, int Steps)
{
    internal static RoundOptions Read(ConfigSection s) => new(s.Int("shards", 1, 64), s.Int("steps", 1, 1_000_000));
}
