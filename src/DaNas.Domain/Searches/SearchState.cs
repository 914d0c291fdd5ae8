using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Faults;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

/// <summary>Where a search is.</summary>
public abstract record SearchPhase
{
    public sealed record NotStarted : SearchPhase;

    /// <summary>The proxies' progress, one a seed.</summary>
    public sealed record MeasuringDifficulty(ValueList<ProxyProgress> Proxies) : SearchPhase;

    /// <summary>Between a decision and the opening of the next stage.</summary>
    public sealed record BetweenStages : SearchPhase;

    /// <summary>Rounds of a stage; samples are the window's probabilities: [sample][layer][block].</summary>
    public sealed record Training(StagePlan Stage, int Round, ValueList<ValueList<ValueList<double>>> Samples) : SearchPhase;

    /// <summary>Rounds done; evidence is gathered and turned into scores.</summary>
    public sealed record Scoring(StagePlan Stage, ValueList<ValueList<ValueList<double>>> Samples, ValueList<EvidenceRound> Rounds, ScoreTable Scores, bool Pruned) : SearchPhase
    {
        /// <summary>The effects of the alive blocks by layer; none before they are asked for, or where the evidence is of another kind.</summary>
        public ValueList<ValueList<BlockTest>> Tests { get; init; } = [];
    }

    public sealed record Deriving(long BudgetMacs, ValueList<RankedArchitecture> Ranked, ValueList<ArchitectureScore> Scores) : SearchPhase;

    /// <summary>A rung of the finals; a run's result has its validation accuracy.</summary>
    public sealed record Finals(ValueList<RankedArchitecture> Ranked, ValueList<double> Accuracies, int Rung, ValueList<RunProgress> Runs) : SearchPhase;

    public sealed record Retraining(ValueList<RunProgress> Runs) : SearchPhase;

    /// <summary>A unit of the phase before failed for good; paths are tried to find the block to blame.</summary>
    public sealed record Probing(string Unit, string Cause, ValueList<PathProbe> Probes, SearchPhase Before) : SearchPhase;

    public sealed record Completed(ValueList<RetrainedModel> Models, Digest WeightsHash) : SearchPhase;

    /// <summary>Stopped by a fault; resuming goes back to where it was.</summary>
    public sealed record Failed(string Reason, string Remedy, SearchPhase Before) : SearchPhase;

    /// <summary>The stage that is being trained or scored; null in other phases.</summary>
    public static StagePlan? StageOf(SearchPhase phase) => phase switch
    {
        Training p => p.Stage,
        Scoring p => p.Stage,
        Probing p => StageOf(p.Before),
        Failed p => StageOf(p.Before),
        _ => null,
    };
}

/// <summary>A blob of a chain of units, and what its unit cost.</summary>
public sealed record ChainLink(BlobRef Blob, UnitCost Cost);

/// <summary>Units that stand on each other, oldest first. Of the blobs only the newest two are kept: the one to go on from, and the one to fall back to.</summary>
public sealed record UnitChain(ValueList<ChainLink> Links, int Kept)
{
    private const int MostKept = 2;

    public static UnitChain Empty { get; } = new([], 0);

    public int Count => Links.Count;

    public BlobRef? Newest => Count > 0 ? Links[^1].Blob : null;

    public IEnumerable<BlobRef> KeptBlobs => Links.TakeLast(Kept).Select(l => l.Blob);

    public UnitChain Add(ChainLink link) => new(Links.Add(link), Math.Min(Kept + 1, MostKept));

    public bool Has(BlobRef blob) => Links.Any(l => l.Blob == blob);

    /// <summary>How many links stand without a blob: those before it, or none where what they end with is not kept any more.</summary>
    public int Without(BlobRef blob)
    {
        int before = Links.TakeWhile(l => l.Blob != blob).Count();
        return before > Count - Kept ? before : before == Count ? Count : 0;
    }

    public UnitChain Cut(int count) => new(Links.Take(count).ToValueList(), Math.Max(0, Kept - (Count - count)));
}

public sealed record ProxyProgress(int Seed, UnitChain Chain, ValueList<ValueList<double>> Accuracy, ValueList<ValueList<double>> Loss)
{
    public BlobRef? Newest => Chain.Newest;
}

public sealed record EvidenceRound(ValueList<BlockRequest> Requests, ValueList<ValueList<double>> Accuracies);

public sealed record ArchitectureScore(int Rank, double Accuracy, double Loss);

public sealed record RunProgress(string Name, Architecture Architecture, UnitChain Chain, RetrainedModel? Result)
{
    public int SegmentsDone => Chain.Count;

    /// <summary>Which of the seeds it is trained from, counted from 0.</summary>
    public int Repeat { get; init; }
}

/// <summary>A stage that is over, for reports.</summary>
public sealed record StageRecord(StagePlan Plan, AliveBlocks Before, AliveBlocks After, UnitCost Cost, double Loss, double Accuracy);

/// <summary>The fold of a search's events.</summary>
public sealed record SearchState(SearchPhase Phase)
{
    public static SearchState Initial { get; } = new(new SearchPhase.NotStarted());

    /// <summary>The first event, with whatever the user accepted to be different since.</summary>
    public SearchEvent.SearchStarted? Started { get; init; }

    /// <summary>The configuration in the first event, read once.</summary>
    public SearchConfig? Config { get; init; }

    public SearchSpace? Space { get; init; }

    public ClassDifficulty? Difficulty { get; init; }

    /// <summary>Whether the difficulty is an order; null where no verdict was asked for, or there is none yet.</summary>
    public DifficultyVerdict? DifficultyVerdict { get; init; }

    public SearchPlan? Plan { get; init; }

    public AliveBlocks? Alive { get; init; }

    /// <summary>The newest round's weights; null before the first round.</summary>
    public BlobRef? Supernet { get; init; }

    public ValueList<StageRecord> Stages { get; init; } = [];

    /// <summary>The scores of the stage that was closed last: what architectures are ranked by at the end.</summary>
    public ScoreTable LastScores { get; init; } = ScoreTable.Empty;

    public SearchEvent.ArchitectureSelected? Selected { get; init; }

    /// <summary>All accepted work, wherever it was done.</summary>
    public UnitCost Cost { get; init; } = UnitCost.Zero;

    public double LostSeconds { get; init; }

    public long Epoch { get; init; } = 1;

    /// <summary>Running SHA-256 over the decision events: h(n) = SHA-256(h(n-1) + canonical event).</summary>
    public Digest DecisionHash { get; init; } = Digest.Of("danas-decisions/1");

    /// <summary>Roll-backs and quarantines so far: part of the names and seeds of units from then on.</summary>
    public int Revision { get; init; }

    /// <summary>Factor on the learning rate, lowered by every roll-back.</summary>
    public double RateScale { get; init; } = 1;

    /// <summary>Roll-backs in the running stage.</summary>
    public int RollBacks { get; init; }

    /// <summary>Blobs that were lost so far; a disk that goes on losing them stops the search.</summary>
    public int BlobsLost { get; init; }

    /// <summary>Units whose two results differed.</summary>
    public ValueList<string> Nondeterministic { get; init; } = [];

    /// <summary>Blocks that left by quarantine.</summary>
    public ValueList<BlockRequest> Quarantined { get; init; } = [];

    /// <summary>States to go back to, oldest first: each as it was when a round began.</summary>
    public ValueList<SearchState> Marks { get; init; } = [];

    /// <summary>The weights of the newest rounds, oldest first; as many as are kept.</summary>
    public ValueList<BlobRef> RoundBlobs { get; init; } = [];

    /// <summary>The weights at every stage's end; never collected.</summary>
    public ValueList<BlobRef> StageBlobs { get; init; } = [];

    /// <summary>Blobs that may be needed again: the newest rounds, every stage's end, and what proxies and retrainings stand on.</summary>
    public IEnumerable<BlobRef> LiveBlobs => RoundBlobs.Concat(StageBlobs).Concat(((Phase as SearchPhase.Failed)?.Before ?? Phase) switch
    {
        SearchPhase.MeasuringDifficulty p => p.Proxies.SelectMany(x => x.Chain.KeptBlobs),
        SearchPhase.Finals p => p.Runs.Where(r => r.Result is null).SelectMany(r => r.Chain.KeptBlobs),
        SearchPhase.Retraining p => p.Runs.SelectMany(r => r.Chain.KeptBlobs),
        SearchPhase.Completed => Weights,
        _ => [],
    });

    /// <summary>The retrained weights, once there are any.</summary>
    public ValueList<BlobRef> Weights { get; init; } = [];

    public long Budget => Space is null || Config is null ? 0 : BudgetOf(Space, Config.Cost);

    /// <summary>Whether the next units read a blob, as far as the state knows (a running round's shards it does not).</summary>
    public bool Reads(BlobRef blob) => Supernet == blob || Phase switch
    {
        SearchPhase.MeasuringDifficulty p => p.Proxies.Any(x => x.Chain.Has(blob)),
        SearchPhase.Finals p => p.Runs.Any(r => r.Result is null && r.Chain.Has(blob)),
        SearchPhase.Retraining p => p.Runs.Any(r => r.Result is null && r.Chain.Has(blob)),
        _ => false,
    };

    public bool IsOver => Phase is SearchPhase.Completed or SearchPhase.Failed;

    /// <summary>The target in multiply-adds: given, or a fraction between the cheapest and the dearest architecture.</summary>
    public static long BudgetOf(SearchSpace space, CostOptions options)
    {
        if (options.TargetMacs > 0)
            return options.TargetMacs;
        CostTable costs = CostTable.Of(space);
        long low = costs.Fixed.Macs + space.Layers.Sum(l => l.Candidates.Min(b => costs.Of(l.Index, b.Name).Macs));
        long high = costs.Fixed.Macs + space.Layers.Sum(l => l.Candidates.Max(b => costs.Of(l.Index, b.Name).Macs));
        return low + (long)((high - low) * options.TargetFraction);
    }
}
