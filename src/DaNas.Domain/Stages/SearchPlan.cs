using DaNas.Domain.Configuration;
using DaNas.Domain.Values;

namespace DaNas.Domain.Stages;

/// <summary>All stages of a search, planned from its configuration, its data and its class order.</summary>
public sealed record SearchPlan(ValueList<StagePlan> Stages)
{
    public int TotalRounds => Stages.Sum(s => s.Rounds);

    /// <summary>
    /// The probability of error that one look of one pruning may have: Bonferroni's, in equal parts for the prunings and in proportion to
    /// the doubled lengths for their looks.
    /// </summary>
    public double ErrorOfLook(PruneOptions options, int look) => options.Error / Math.Max(1, Stages.Count(s => s.PrunesAtEnd))
        * Math.Pow(2, Math.Min(look, options.Looks - 1)) / (Math.Pow(2, options.Looks) - 1);

    /// <summary>
    /// Permutations of a test: enough to tell a probability as small as the error of its look; none where nobody asks for it.
    /// </summary>
    public int Permutations(PruneOptions options, int look) =>
        options.When == PruneWhen.Schedule ? 0 : Math.Clamp((int)Math.Ceiling(5 / ErrorOfLook(options, look)), 999, 99_999);

    /// <summary>The plan with one stage trained on; the stages behind it begin as much later.</summary>
    public SearchPlan With(StagePlan longer)
    {
        int more = longer.Rounds - Stages[longer.Index].Rounds;
        return new(Stages.Select(s => s.Index == longer.Index ? longer : s.Index > longer.Index
            ? s with { FirstRound = s.FirstRound + more } : s).ToValueList());
    }
}
