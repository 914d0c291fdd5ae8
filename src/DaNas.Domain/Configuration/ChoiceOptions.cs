namespace DaNas.Domain.Configuration;

/// <summary>The end of the search: how many candidates are compared on the supernet, and on how many held-out images.</summary>
public sealed record DerivationOptions(int Candidates, int Images, int RecalibrationBatches)
{
    /// <summary>The share of the candidates that is drawn at random close under the budget; 0 in searches before 0.4: all are the best by score.</summary>
    public double Random { get; init; }

    internal static DerivationOptions Read(ConfigSection s) => new(s.Int("candidates", 1, 1000), s.Int("images", 1, 1_000_000), s.Int("recalibration-batches", 0, 1000))
    {
        Random = s.Has("random") ? s.Number("random", 0, 1) : 0,
    };
}

/// <summary>
/// Successive halving among the ranked candidates: trainings by themselves of <paramref name="Epochs"/> over the weights split in the first rung, of which the share
/// <paramref name="Keep"/> goes on to one longer by 1 / Keep. 0 rungs: the best supernet accuracy wins, as before 0.4.
/// </summary>
public sealed record FinalOptions(int Rungs, double Epochs, double Keep)
{
    public static FinalOptions None { get; } = new(0, 1, 0.5);

    /// <summary>How many begin, the best by supernet accuracy; 0: all candidates. A strategy without a supernet has no such order, and all of them begin.</summary>
    public int Count { get; init; }

    internal static FinalOptions Read(ConfigSection s) => new(s.Int("rungs", 0, 20), s.Number("epochs", 0.001, 10_000), s.Number("keep", 0.05, 0.9))
    {
        Count = s.Has("count") ? s.Int("count", 0, 1000) : 0,
    };
}

/// <summary>How controls are drawn: uniformly among all architectures of about the winner's cost, or by a walk towards that cost (searches before 0.4).</summary>
public enum ControlDraw
{
    Walk,
    Uniform,
}

/// <summary>Random architectures of about the winner's multiply-adds, trained in the same way as a winner they are compared with.</summary>
public sealed record ControlOptions(int Count, double Tolerance)
{
    public ControlDraw Draw { get; init; }

    /// <summary>Epochs of a control's training, and of the winner's that it is compared with; 0: those of the retraining.</summary>
    public double Epochs { get; init; }

    internal static ControlOptions Read(ConfigSection s) => new(s.Int("count", 0, 100), s.Number("tolerance", 0.001, 0.5))
    {
        Draw = s.Has("draw") ? s.OneOf<ControlDraw>("draw") : ControlDraw.Walk,
        Epochs = s.Has("epochs") ? s.Number("epochs", 0, 10_000) : 0,
    };
}
