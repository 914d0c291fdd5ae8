using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>
/// What differs between methods over one search space: it turns a stage's results into scores per (layer, block), and the last
/// scores into a ranked list of architectures. Everything else (stages, rounds, journal, retraining) is shared.
/// </summary>
public interface IStrategy
{
    /// <summary>Whether class difficulty is measured before the first stage.</summary>
    bool MeasuresDifficulty { get; }

    /// <summary>Whether a supernet is trained at all.</summary>
    bool TrainsSupernet { get; }

    /// <summary>Whether trainings by themselves choose among the ranked architectures, where <c>finals.rungs</c> asks for it.</summary>
    bool HoldsFinals => TrainsSupernet;

    /// <summary>Where a block's score comes from.</summary>
    EvidenceKind Evidence { get; }

    /// <summary>Best first, under the budget where anything fits it.</summary>
    ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores);
}
