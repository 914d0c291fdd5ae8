namespace DaNas.Domain.Configuration;

/// <summary>How the pruning ratio is applied: in each layer, over all layers, or as a threshold on the best score.</summary>
public enum PruneRule
{
    Layer,
    Global,
    Threshold,
}

/// <summary>
/// What is pruned at the end of a stage: whatever the rule says, as in the paper, or of that only blocks that are surely under the cut.
/// </summary>
public enum PruneWhen
{
    Schedule,
    Sure,
}

public sealed record PruneOptions(PruneRule Rule, double Ratio, int KeepAtLeast)
{
    public PruneWhen When { get; init; }

    /// <summary>
    /// The probability with which a search may prune a block that is not under its layer's cut, over all blocks and looks together.
    /// </summary>
    public double Error { get; init; } = 0.05;

    /// <summary>A stage that cannot decide trains on to at most so many times its length, doubling it with each look.</summary>
    public double TrainOn { get; init; } = 1;

    /// <summary>How often a stage looks at most.</summary>
    public int Looks => 1 + (int)Math.Ceiling(Math.Log2(TrainOn) - 1e-9);

    /// <summary>How many blocks the rule <c>layer</c> asks a layer of so many to give up.</summary>
    public int Removed(int blocks) => Math.Max(0, Math.Min((int)Math.Floor((Ratio * blocks) + 1e-9), blocks - KeepAtLeast));

    /// <summary>The length of a stage, in its scheduled lengths, at a look counted from 0.</summary>
    public double Length(int look) => Math.Min(Math.Pow(2, look), TrainOn);

    internal static PruneOptions Read(ConfigSection s)
    {
        PruneOptions o = new(s.OneOf<PruneRule>("rule"), s.Number("ratio", 0, 0.99), s.Int("keep-at-least", 1, 1000))
        {
            When = s.Has("when") ? s.OneOf<PruneWhen>("when") : PruneWhen.Schedule, // Journals of 0.3 and before have none of the three.
            Error = s.Has("error") ? s.Number("error", 1e-6, 0.5) : 0.05,
            TrainOn = s.Has("train-on") ? s.Number("train-on", 1, 1024) : 1,
        };
        if (o is { When: PruneWhen.Sure, Rule: not PruneRule.Layer })
            s.Refuse("rule", ConfigSection.Kebab(o.Rule.ToString()),
                "only the cut-off of each layer has a significance test; set prune.rule = layer, or prune.when = schedule with " +
                    "evidence.kind = probability");
        return o;
    }
}
