using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Strategies;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Estimates;

/// <summary>
/// What a search will cost: exact counts of units and images (at most, where stages may train on: <c>prune.train-on</c>), expected MACs
/// (paths are drawn), memory of a trainer.
/// </summary>
public sealed record SearchEstimate(ValueList<PhaseEstimate> Phases, long TrainerBytes)
{
    private const int BytesPerFloat = 4;

    public UnitCost Total => Phases.Select(p => p.Cost).Aggregate(UnitCost.Zero, UnitCost.Add);

    public long Units => Phases.Sum(p => p.Units);

    /// <summary>Forward MACs, with a backward pass counted as two forward passes: what time is proportional to.</summary>
    public double WeightedMacs => Phases.Sum(p => Weighted(p.Cost));

    /// <summary>A training image costs about three forward passes.</summary>
    public static double Weighted(UnitCost cost) =>
        cost.ForwardMacs * (1 + (2.0 * cost.BackwardImages / Math.Max(1, cost.ForwardImages)));

    /// <summary>The share of the estimated work that a cost is, from 0 to 0.99: never all of it before the end.</summary>
    public double ShareDone(UnitCost cost) => Math.Clamp(Weighted(cost) / WeightedMacs, 0, 0.99);

    public static SearchEstimate Of(SearchConfig config, DatasetSummary data)
    {
        SearchSpace space = config.SpaceFor(data.Classes.Count);
        CostTable costs = CostTable.Of(space);
        IStrategy strategy = Strategy.Of(config);
        List<PhaseEstimate> phases = [];
        if (strategy.MeasuresDifficulty)
            phases.Add(Difficulty(config, data, space, costs));
        AliveBlocks alive = space.AllBlocks;
        ClassCurriculum curriculum = ClassCurriculum.From(Enumerable.Range(0, data.Classes.Count).ToValueList(),
            config.Curriculum, config.Search.Seed);
        foreach (StagePlan stage in strategy.TrainsSupernet ? StagePlanner.Plan(config, data, curriculum).Stages : [])
        {
            bool waits = config.Prune.When == PruneWhen.Sure && stage.PrunesAtEnd;
            phases.Add(Stage(config, waits ? stage with { Rounds = (int)Math.Ceiling(stage.Rounds * config.Prune.TrainOn) } : stage,
                costs, alive, strategy));
            if (stage.PrunesAtEnd && !waits)
                alive = Shrink(alive, config.Prune);
        }

        if (strategy.TrainsSupernet)
            phases.Add(Derivation(config, costs, space.AllBlocks));
        for (int rung = 0; strategy.HoldsFinals && rung < config.Finals.Rungs
            && Finals.Finalists(Finals.Begin(config, config.Derivation.Candidates), config.Finals, rung) > 1; rung++)
            phases.Add(Final(config, data, costs, space.AllBlocks, rung));
        phases.Add(Retraining(config, data, costs, space.AllBlocks));
        return new(phases.ToValueList(), Memory(config, space, costs));
    }

    private static PhaseEstimate Difficulty(SearchConfig c, DatasetSummary data, SearchSpace space, CostTable costs)
    {
        long macs = costs.Fixed.Macs + space.Layers.Sum(l =>
            costs.Of(l.Index, l.Candidates.Any(b => b.Name == c.Difficulty.Block) ? c.Difficulty.Block : l.Candidates[0].Name).Macs);
        long units = (long)c.Difficulty.Points * c.Difficulty.Seeds;
        long train = units * c.Difficulty.Steps(data, c.Weights.Batch) * c.Weights.Batch;
        long held = units * data.Validation.Sum(n => (long)n);
        return new("difficulty", data.Classes.Count, units, new(train + held, train, (train + held) * macs));
    }

    private static PhaseEstimate Stage(SearchConfig c, StagePlan stage, CostTable costs, AliveBlocks alive, IStrategy strategy)
    {
        long steps = (long)stage.Rounds * c.Rounds.Shards * c.Rounds.Steps;
        bool learns = !stage.IsWarmup && c.Search.Strategy == StrategyKind.DaNas && c.Sampler.Kind != SamplerKind.Uniform;
        long architecture = learns ? steps * c.Architecture.Batch * c.Sampler.PassesPerStep.Forward : 0;
        long images = (steps * c.Weights.Batch) + architecture;
        long backward = steps * (c.Weights.Batch + (learns ? (long)c.Architecture.Batch * c.Sampler.PassesPerStep.Backward : 0));
        double macs = learns && c.Sampler.Kind == SamplerKind.Soft ? costs.MacsOfAll(alive) : costs.MeanMacs(alive);
        long units = (long)stage.Rounds * (c.Rounds.Shards + (c.Rounds.Shards > 1 ? 1 : 0));
        long evidence = 0;
        if (!stage.IsWarmup && strategy.Evidence == EvidenceKind.Validation)
        {
            long requests = alive.Layers.Where(l => l.Count > 1).Sum(l => l.Count);
            evidence = requests * c.Evidence.PathsPerBlock * (
                c.Evidence.Images + ((long)c.Evidence.RecalibrationBatches * c.Weights.Batch));
            units += (requests + 7) / 8;
        }

        if (!stage.IsWarmup && strategy.Evidence == EvidenceKind.Effect)
            units += stage.PrunesAtEnd ? c.Prune.Looks : 1;
        return new(stage.IsWarmup ? "warm-up" : $"stage {stage.Index}", stage.Classes.Count, units, new(images + evidence, backward, (long)(
            ((images + evidence) * macs) + (c.Sampler.Kind == SamplerKind.TwoPath
            ? architecture * alive.Layers.Select((l, i) => l.Count > 1 ? l.Average(b => costs.Of(i, b).Macs) : 0)
            .Sum() : 0))))
        { AtMost = stage.PrunesAtEnd && c.Prune is { When: PruneWhen.Sure, TrainOn: > 1 } };
    }

    private static AliveBlocks Shrink(AliveBlocks alive, PruneOptions o) =>
        new(alive.Layers.Select(l => l.Take(l.Count - o.Removed(l.Count)).ToValueList()).ToValueList());

    private static PhaseEstimate Derivation(SearchConfig c, CostTable costs, AliveBlocks alive)
    {
        long images = c.Derivation.Candidates * (c.Derivation.Images + ((long)c.Derivation.RecalibrationBatches * c.Weights.Batch));
        return new("derivation", 0, c.Derivation.Candidates, new(images, 0, (long)(images * costs.MeanMacs(alive))));
    }

    private static PhaseEstimate Final(SearchConfig c, DatasetSummary data, CostTable costs, AliveBlocks alive, int rung)
    {
        long runs = Finals.Finalists(Finals.Begin(c, c.Derivation.Candidates), c.Finals, rung);
        long steps = Finals.Steps(c, data, rung);
        long train = runs * steps * c.Retrain.Batch;
        long held = runs * data.Validation.Sum(n => (long)n);
        long units = runs * ((steps + c.Retrain.SegmentSteps - 1) / c.Retrain.SegmentSteps);
        return new(Invariant($"finals, rung {rung + 1}"), data.Classes.Count, units,
            new(train + held, train, (long)((train + held) * costs.MeanMacs(alive))));
    }

    private static PhaseEstimate Retraining(SearchConfig c, DatasetSummary data, CostTable costs, AliveBlocks alive)
    {
        (int whole, int compared) = RetrainPlan.Count(c);
        long held = (c.Retrain.MeasureOn == MeasuredSplit.Validation ? data.Validation : data.Test).Sum(n => (long)n);
        (long units, UnitCost cost) = (0, UnitCost.Zero);
        foreach ((long runs, string name) in new[] { ((long)whole, RetrainPlan.Winner), (compared, "control-1") })
        {
            long steps = RetrainPlan.Steps(c, data, name);
            long train =
                runs * ((steps * c.Retrain.Batch) + (c.Engine.Kind == EngineKind.Torch ? InitialScores.Images(c.Retrain.Batch) : 0));
            units += runs * ((steps + c.Retrain.SegmentSteps - 1) / c.Retrain.SegmentSteps);
            cost += new UnitCost(train + (runs * held), train, (long)((train + (runs * held)) * costs.MeanMacs(alive)));
        }

        return new("retraining", data.Classes.Count, units, cost);
    }

    /// <summary>
    /// Weights, momentum and one copy on the way to disk, plus the activations of the widest path kept for the backward pass.
    /// </summary>
    private static long Memory(SearchConfig c, SearchSpace space, CostTable costs)
    {
        long parameters = costs.Fixed.Parameters + space.Layers.Sum(l => l.Candidates.Sum(b => costs.Of(l.Index, b.Name).Parameters));
        double activations = space.Layers.Sum(l => l.Candidates.Max(b => b.IsSkip ? 1.0 : b.Expansion * 3.0) * l.InChannels
            * l.InResolution * l.InResolution);
        return (long)((parameters * BytesPerFloat * 4.0) + (activations * BytesPerFloat
            * Math.Max(c.Sampler.Kind == SamplerKind.TwoPath ? 2 * c.Architecture.Batch : c.Weights.Batch, c.Retrain.Batch)));
    }
}
