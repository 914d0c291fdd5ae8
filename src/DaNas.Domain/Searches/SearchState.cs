using DaNas.Domain.Configuration;
using DaNas.Domain.Curricula;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Searches;

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

    /// <summary>The target in MACs: given, or a fraction between the cheapest and the dearest architecture.</summary>
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
