using DaNas.Domain.Stages;

namespace DaNas.Domain.Configuration;

/// <summary>Class difficulty (search-strategies 1.3): area under the accuracy curve, its variance, or mean held-out loss.</summary>
public enum DifficultyMeasure
{
    Auc,
    Variance,
    Loss,
}

/// <summary>
/// The difficulty pass: one fixed path of <paramref name="Block"/> everywhere, <paramref name="Seeds"/> times, measured at
/// <paramref name="Points"/> points of a pass.
/// </summary>
public sealed record DifficultyOptions(DifficultyMeasure Measure, string Block, int Points, int StepsPerPoint,
    int Seeds, double GuardPercentile)
{
    /// <summary>
    /// Length of a point in epochs over the weights split; 0: <see cref="StepsPerPoint"/> steps and no verdict, as before 0.4.
    /// </summary>
    public double EpochsPerPoint { get; init; }

    /// <summary>At most so many passes.</summary>
    public int Passes { get; init; } = 1;

    /// <summary>The reliability of the order that is asked for (<see cref="Curricula.DifficultyVerdict.Agreement"/>).</summary>
    public double Agreement { get; init; }

    /// <summary>Whether the pass is prolonged until there is an order.</summary>
    public bool JudgesOrder => EpochsPerPoint > 0;

    /// <summary>Optimiser steps of one point.</summary>
    public int Steps(DatasetSummary data, int batch) =>
        JudgesOrder ? Math.Max(1, (int)Math.Ceiling((EpochsPerPoint * data.Weights.Sum(n => (long)n) / batch) - 1e-9)) : StepsPerPoint;

    internal static DifficultyOptions Read(ConfigSection s)
    {
        double epochs = s.Has("epochs-per-point") ? s.Number("epochs-per-point", 0, 1000) : 0;
        DifficultyOptions o = new(
            s.OneOf<DifficultyMeasure>("measure"),
            s.Text("block"),
            s.Int("points", 2, 1000),
            epochs > 0 ? 0 : s.Int("steps-per-point", 1, 1_000_000),
            s.Int("seeds", 1, 100),
            s.Number("guard-percentile", 0, 1));
        (int passes, double agreement) = (s.Has("passes") ? s.Int("passes", 1, 100) : 1, s.Has("agreement")
            ? s.Number("agreement", 0, 1) : 0);
        if (epochs == 0)
            return o;
        if (s.Has("steps-per-point"))
            s.Refuse("steps-per-point", s.Text("steps-per-point"),
                "the pass is now measured in epochs: set difficulty.epochs-per-point (steps x batch / training images); with " +
                    "epochs-per-point = 0, steps-per-point applies as before");
        return o with { EpochsPerPoint = epochs, Passes = passes, Agreement = agreement };
    }
}
