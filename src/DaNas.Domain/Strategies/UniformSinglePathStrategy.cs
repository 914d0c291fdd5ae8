using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>
/// Single-path one-shot with uniform sampling (Guo et al. 2020): no schedule, no pruning; a block's score is supernet accuracy given the
/// block.
/// </summary>
public sealed class UniformSinglePathStrategy : IStrategy
{
    public bool MeasuresDifficulty => false;

    public bool TrainsSupernet => true;

    public EvidenceKind Evidence => EvidenceKind.Validation;

    public ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores) => Candidates.Of(state, scores, Evidence);
}
