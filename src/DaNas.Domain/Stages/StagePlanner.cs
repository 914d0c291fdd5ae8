using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Values;

namespace DaNas.Domain.Stages;

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
