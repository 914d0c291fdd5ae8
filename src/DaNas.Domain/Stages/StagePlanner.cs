using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Values;

namespace DaNas.Domain.Stages;

/// <summary>What the search knows of its data: class names and images a class in each split. Names a data set by its fingerprint.</summary>
public sealed record DatasetSummary(
    string Name, Digest Fingerprint, ValueList<string> Classes, ValueList<int> Weights, ValueList<int> Validation, ValueList<int> Test)
{
    public long TrainImages => Weights.Sum(n => (long)n) + Validation.Sum(n => (long)n);
}

/// <summary>
/// One pruning stage: its classes, the share of each class's images that it uses (1 except in the subsampling control), and its rounds.
/// Stage 0 is the warm-up where there is one: weights only, uniform paths, no pruning.
/// </summary>
public sealed record StagePlan(int Index, bool IsWarmup, ValueList<int> Classes, double ImageShare, int Rounds, int FirstRound, bool PrunesAtEnd)
{
    /// <summary>How often the stage was trained on because it could not decide.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault)]
    public int Look { get; init; }

    /// <summary>The stage with its rounds of the next look.</summary>
    public StagePlan TrainedOn(PruneOptions options) => this with { Look = Look + 1, Rounds = (int)Math.Ceiling((Rounds * options.Length(Look + 1) / options.Length(Look)) - 1e-9) };
}

/// <summary>All stages of a search, planned from its configuration, its data and its class order.</summary>
public sealed record SearchPlan(ValueList<StagePlan> Stages)
{
    public int TotalRounds => Stages.Sum(s => s.Rounds);

    /// <summary>The probability of error that one look of one pruning may have: Bonferroni's, in equal parts for the prunings and in proportion to the doubled lengths for their looks.</summary>
    public double ErrorOfLook(PruneOptions options, int look) => options.Error / Math.Max(1, Stages.Count(s => s.PrunesAtEnd)) * Math.Pow(2, Math.Min(look, options.Looks - 1)) / (Math.Pow(2, options.Looks) - 1);

    /// <summary>Permutations of a test: enough to tell a probability as small as the error of its look; none where nobody asks for it.</summary>
    public int Permutations(PruneOptions options, int look) => options.When == PruneWhen.Schedule ? 0 : Math.Clamp((int)Math.Ceiling(5 / ErrorOfLook(options, look)), 999, 99_999);

    /// <summary>The plan with one stage trained on; the stages behind it begin as much later.</summary>
    public SearchPlan With(StagePlan longer)
    {
        int more = longer.Rounds - Stages[longer.Index].Rounds;
        return new(Stages.Select(s => s.Index == longer.Index ? longer : s.Index > longer.Index ? s with { FirstRound = s.FirstRound + more } : s).ToValueList());
    }
}

/// <summary>
/// Plans the stages: a stage of E epochs over n images has ceil(E n / (batch x steps x shards)) rounds, at least 1, so that the
/// cost of a stage follows its class subset (search-strategies 1.8).
/// </summary>
public static class StagePlanner
{
    public static SearchPlan Plan(SearchConfig config, DatasetSummary data, ClassCurriculum curriculum)
    {
        List<StagePlan> stages = [];
        int stageCount = config.Search.Strategy == StrategyKind.DaNas ? curriculum.Counts.Count : 1;
        int first = 0;
        if (config.Warmup.Epochs > 0)
        {
            int level = config.Warmup.Classes == WarmupClasses.First ? curriculum.Counts.Count - stageCount : curriculum.Counts.Count - 1;
            Open(true, level, config.Warmup.Epochs, false);
        }

        for (int s = 0; s < stageCount; s++)
            Open(false, curriculum.Counts.Count - stageCount + s, config.Stage.Epochs, s < stageCount - 1);
        return new SearchPlan(stages.ToValueList());

        void Open(bool warmup, int level, double epochs, bool prunes)
        {
            (ValueList<int> classes, double share) = Slice(data, curriculum, level);
            double images = classes.Sum(c => (double)data.Weights[c]) * share;
            double perRound = (double)config.Weights.Batch * config.Rounds.Steps * config.Rounds.Shards;
            int rounds = Math.Max(1, (int)Math.Ceiling((epochs * images / perRound) - 1e-9));
            stages.Add(new StagePlan(stages.Count, warmup, classes, share, rounds, first, prunes));
            first += rounds;
        }
    }

    /// <summary>The classes of a level; in the control, all classes with as many images as the easy subset would have.</summary>
    private static (ValueList<int> Classes, double Share) Slice(DatasetSummary data, ClassCurriculum curriculum, int level)
    {
        ValueList<int> classes = curriculum.ClassesOf(level);
        if (!curriculum.Subsampled)
            return (classes, 1);
        double subset = curriculum.Order.Take(curriculum.Counts[level]).Sum(c => (double)data.Weights[c]);
        return (classes, subset / data.Weights.Sum(n => (double)n));
    }
}
