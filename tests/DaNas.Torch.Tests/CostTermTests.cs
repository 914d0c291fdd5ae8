using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Torch.Tests;

/// <summary>The expected-cost terms of the architecture loss.</summary>
public sealed class CostTermTests
{
    [Theory]
    [InlineData(CostForm.Hinge)]
    [InlineData(CostForm.LogRatio)]
    public void Its_gradient_is_the_slope_of_its_value_with_both_bounds(CostForm form)
    {
        using EngineFixture f = new();
        SearchSpace space = f.Session.Space;
        SeededRandom random = new(3);
        LatencyTable table = new(space.Name, "test", "test", 0.5, space.Layers
            .Select(l => l.Candidates.Select(b => KeyValuePair.Create(b.Name, random.NextDouble())).ToValueList()).ToValueList());
        CostOptions options = new(0, 0.1, 0.3, form, true) { TargetMilliseconds = 2, Latency = table };
        ArchitectureBudget budget = ArchitectureBudget.Of(space, options);
        ArchitectureParameters p = new(f.Alive);
        (double value, double[][] inProbabilities) = p.CostTerm(f.Session.Costs, options, budget);
        double[][] gradient = p.ThroughSoftmax(inProbabilities);
        foreach ((int layer, int block) in new[] { (0, 0), (3, 5), (5, 2) })
        {
            ArchitectureParameters moved = new(f.Alive);
            moved[layer, block] = (1e-5, 0, 0);
            double slope = (moved.CostTerm(f.Session.Costs, options, budget).Value - value) / 1e-5;
            gradient[layer][block].ShouldBe(slope, 1e-3 * Math.Abs(slope));
        }

        // Without the bound on latency the term is the one of MACs alone, and smaller.
        p.CostTerm(f.Session.Costs, options, ArchitectureBudget.OfMacs(budget.Macs)).Value.ShouldBeLessThan(value);
        p.CostTerm(f.Session.Costs, options, new ArchitectureBudget(long.MaxValue, 1e9, table)).Value.ShouldBe(0);
    }
}
