namespace DaNas.Domain.Configuration;

/// <summary>
/// Successive halving among the ranked candidates: trainings by themselves of <paramref name="Epochs"/> over the weights split in the first
/// rung, of which the share <paramref name="Keep"/> goes on to one longer by 1 / Keep. 0 rungs: the best supernet accuracy wins, as before
/// 0.4.
/// </summary>
public sealed record FinalOptions(int Rungs, double Epochs, double Keep)
{
    public static FinalOptions None { get; } = new(0, 1, 0.5);

    /// <summary>
    /// How many begin, the best by supernet accuracy; 0: all candidates. A strategy without a supernet has no such order, and all of them
    /// begin.
    /// </summary>
    public int Count { get; init; }

    internal static FinalOptions Read(ConfigSection s) => new(
        s.Int("rungs", 0, 20), s.Number("epochs", 0.001, 10_000), s.Number("keep", 0.05, 0.9))
    {
        Count = s.Has("count") ? s.Int("count", 0, 1000) : 0,
    };
}
