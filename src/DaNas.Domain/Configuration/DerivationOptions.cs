namespace DaNas.Domain.Configuration;

/// <summary>The end of the search: how many candidates are compared on the supernet, and on how many held-out images.</summary>
public sealed record DerivationOptions(int Candidates, int Images, int RecalibrationBatches)
{
    /// <summary>
    /// The share of the candidates that is drawn at random close under the budget; 0 in searches before 0.4: all are the best by score.
    /// </summary>
    public double Random { get; init; }

    internal static DerivationOptions Read(ConfigSection s) =>
        new(s.Int("candidates", 1, 1000), s.Int("images", 1, 1_000_000), s.Int("recalibration-batches", 0, 1000))
        {
            Random = s.Has("random") ? s.Number("random", 0, 1) : 0,
        };
}
