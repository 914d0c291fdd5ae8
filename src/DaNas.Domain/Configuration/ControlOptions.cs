namespace DaNas.Domain.Configuration;

/// <summary>
/// How controls are drawn: uniformly among all architectures of about the winner's cost, or by a walk towards that cost (searches before
/// 0.4).
/// </summary>
public enum ControlDraw
{
    Walk,
    Uniform,
}

/// <summary>Random architectures of about the winner's MACs, trained in the same way as a winner they are compared with.</summary>
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
