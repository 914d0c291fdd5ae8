using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Torch;

namespace DaNas.Reports;

/// <summary>
/// Every block by itself, and what all architectures share; means of two passes over all blocks, and how alike the passes order them.
/// </summary>
internal sealed record BlockTable(double Fixed, IReadOnlyList<IReadOnlyDictionary<string, double>> Blocks, double Tau)
{
    public bool IsRepeatable => Tau >= LatencyReport.Believed;

    public static BlockTable Measure(SearchSpace space, LatencySetup setup)
    {
        LatencyMeter meter = new(space, setup);
        Console.Error
            .WriteLine(Invariant($"measuring {space.Layers.Sum(l => l.Candidates.Count)} blocks, two rounds of " +
                $"{setup.Repeats} passes each"));
        (LayerSpec Layer, BlockSpec Block)[] all = [.. space.Layers.SelectMany(l => l.Candidates.Select(b => (l, b)))];
        double fixedPart = meter.FixedMilliseconds();
        double[] first = [.. all.Select(x => meter.Of(x.Layer, x.Block).Median)],
            second = [.. all.Select(x => meter.Of(x.Layer, x.Block).Median)];
        Dictionary<(int, string), double> mean = all.Select((x, i) => ((x.Layer.Index, x.Block.Name), (first[i] + second[i]) / 2))
            .ToDictionary(x => x.Item1, x => x.Item2);
        return new(
            (fixedPart + meter.FixedMilliseconds()) / 2,
            [.. space.Layers.Select(l => (IReadOnlyDictionary<string, double>)l.Candidates
                .ToDictionary(b => b.Name, b => mean[(l.Index, b.Name)], StringComparer.Ordinal))],
            RankStatistics.KendallTauB(first, second));
    }

    public double Of(Architecture architecture) => Fixed + architecture.Blocks.Select((b, l) => Blocks[l][b]).Sum();
}
