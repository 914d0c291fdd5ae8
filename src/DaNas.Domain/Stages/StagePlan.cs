using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.Stages;

/// <summary>
/// One pruning stage: its classes, the share of each class's images that it uses (1 except in the subsampling control), and its rounds.
/// Stage 0 is the warm-up where there is one: weights only, uniform paths, no pruning.
/// </summary>
public sealed record StagePlan(int Index, bool IsWarmup, ValueList<int> Classes, double ImageShare, int Rounds,
    int FirstRound, bool PrunesAtEnd)
{
    /// <summary>How often the stage was trained on because it could not decide.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault)]
    public int Look { get; init; }

    /// <summary>The stage with its rounds of the next look.</summary>
    public StagePlan TrainedOn(PruneOptions options) => this
        with
    { Look = Look + 1, Rounds = (int)Math.Ceiling((Rounds * options.Length(Look + 1) / options.Length(Look)) - 1e-9) };
}
