using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Strategies;

/// <summary>No search at all: architectures that are known, in the order in which they were given; all of them are trained.</summary>
public sealed class GivenStrategy : IStrategy
{
    public bool MeasuresDifficulty => false;

    public bool TrainsSupernet => false;

    public EvidenceKind Evidence => EvidenceKind.Validation;

    public ValueList<RankedArchitecture> Rank(SearchState state, ScoreTable scores)
    {
        CostTable costs = CostTable.Of(state.Space!);
        return state.Config!.Search.Architectures.Select(text =>
        {
            Architecture a = Architecture.Parse(state.Space!, text)
                ?? throw new InvalidDataException($"{text} is no architecture of {state.Space!.Name}");
            return new RankedArchitecture(a, 0, costs.Of(a));
        }).ToValueList();
    }
}
