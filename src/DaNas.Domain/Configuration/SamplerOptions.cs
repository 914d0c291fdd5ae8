using DaNas.Domain.Values;

namespace DaNas.Domain.Configuration;

/// <summary>
/// How a path is drawn in training: straight-through Gumbel (one path), the weighted sum of all, uniform (one path), or one path for the
/// weights and two blocks a layer for the architecture (ProxylessNAS, Cai et al. 2019, section 3.2.1).
/// </summary>
public enum SamplerKind
{
    GumbelHard,
    Soft,
    Uniform,
    TwoPath,
}

/// <summary>
/// Where a one-path sampler's gradient comes from: the straight-through gate (GDAS form), or the score function with a leave-one-out
/// baseline over several paths on the same batch (Kool et al. 2019), which needs no backward pass.
/// </summary>
public enum PathGradient
{
    LeaveOneOut,
    Gate,
}

public sealed record SamplerOptions(SamplerKind Kind, PathGradient Gradient, int Paths, double Temperature, double Decay,
    double MinimumTemperature)
{
    /// <summary>Forward passes of one architecture step, and whether it has a backward pass.</summary>
    public (int Forward, int Backward) PassesPerStep => Kind == SamplerKind.GumbelHard
        && Gradient == PathGradient.LeaveOneOut ? (Paths, 0) : (1, 1);

    /// <summary>
    /// Decay of the moving average of the weights that path losses are measured with; 0: the weights themselves. Leave-one-out only.
    /// </summary>
    public double AverageDecay { get; init; }

    /// <summary>The keys that only the gate reads.</summary>
    public static ValueList<string> GateKeys { get; } = ["temperature", "decay-per-epoch", "minimum-temperature"];

    internal static SamplerOptions Read(ConfigSection s) => new(
        s.OneOf<SamplerKind>("kind"),
        s.OneOf<PathGradient>("gradient"),
        s.Int("paths", 2, 64),
        s.Has("temperature") ? s.Number("temperature", 0.001, 1000) : 5,
        s.Has("decay-per-epoch") ? s.Number("decay-per-epoch", 0.001, 1) : 0.956,
        s.Has("minimum-temperature") ? s.Number("minimum-temperature", 0.001, 1000) : 0.1)
    {
        AverageDecay = s.Has("average-decay") ? s.Number("average-decay", 0, 0.999999) : 0,
    };
}
