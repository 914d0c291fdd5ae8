using DaNas.Domain.Values;

namespace DaNas.Domain.Configuration;

/// <summary>Which rule turns results into scores.</summary>
public enum StrategyKind
{
    DaNas,
    UniformSinglePath,
    Random,

    /// <summary>
    /// <c>derivation.candidates</c> random architectures of about the budget, and the finals choose: what a search must beat at equal cost.
    /// </summary>
    RandomSearch,

    /// <summary>No search: the architectures of <c>search.architectures</c> are trained.</summary>
    Given,
}

public sealed record SearchOptions(string Name, long Seed, StrategyKind Strategy)
{
    /// <summary>What the strategy <c>given</c> trains, as canonical texts.</summary>
    public ValueList<string> Architectures { get; init; } = [];

    internal static SearchOptions Read(ConfigSection s) => new(
        s.Text("name"), s.Long("seed", long.MinValue, long.MaxValue), s.OneOf<StrategyKind>("strategy"))
    {
        Architectures = s.Has("architectures") ? s.Texts("architectures") : [],
    };
}
