using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>
/// DA-NAS (reconstructed, arXiv 2003.12563): probabilities learned by gradient, classes from easy to all, blocks pruned between stages.
/// </summary>
public sealed class DaNasStrategy(SearchConfig config) : IStrategy
{
    public bool MeasuresDifficulty => config.Curriculum.Order is ClassOrder.EasyFirst or ClassOrder.HardFirst;

    public bool TrainsSupernet => true;

    public EvidenceKind Evidence => config.Evidence.Kind;

    /// <summary>
    /// The product of probabilities (or the sum of accuracies or effects) over layers, maximised exactly under the budget.
    /// </summary>
    public ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores) => Candidates.Of(state, scores, Evidence);
}
