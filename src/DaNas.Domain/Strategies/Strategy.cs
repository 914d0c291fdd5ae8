using DaNas.Domain.Configuration;

namespace DaNas.Domain.Strategies;

/// <summary>The strategies by name.</summary>
public static class Strategy
{
    public static IStrategy Of(SearchConfig config) => config.Search.Strategy switch
    {
        StrategyKind.UniformSinglePath => new UniformSinglePathStrategy(),
        StrategyKind.Random => new RandomStrategy(1),
        StrategyKind.RandomSearch => new RandomStrategy(config.Derivation.Candidates),
        StrategyKind.Given => new GivenStrategy(),
        _ => new DaNasStrategy(config),
    };
}
