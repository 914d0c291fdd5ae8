using DaNas.Domain.Evaluation;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using MathNet.Numerics.LinearAlgebra;

namespace DaNas.Evidence;

/// <summary>
/// Which blocks are surely among the worst of their layers (docs/method.md, "Prune when sure"). The path losses of a search, less the mean
/// of their step, are regressed on the blocks of the paths; two blocks of a layer differ by t = difference / error, the error by steps
/// (Liang and Zeger 1986), as losses of one step share their images and weights. A block is under the cut when it is worse than n - k of
/// its layer's n blocks, k of which the rule asks for; its statistic T is the (n - k)-th largest of its t. The null is the same updates
/// without signal: losses permuted among the paths of their step. T is held against the largest |t| among the k + 1 lowest blocks of any
/// layer (Westfall and Young 1993), the least favourable case: k + 1 equal blocks, all others far better.
/// </summary>
public sealed class BlockEffects
{
    /// <summary>After so many permutations over the largest statistic, no block is sure whatever comes (Besag and Clifford 1991).</summary>
    private const int Exceedances = 20;

    /// <summary>
    /// A block in fewer paths is in no test: its few residuals are nothing like its errors (a block in one path fits that path exactly).
    /// </summary>
    private const int Fewest = 10;

    private readonly int[][] steps;
    private readonly double[] loss;
    private readonly int[][] columns;
    private readonly int[] paths;
    private readonly int[][] alive;
    private readonly double[][] inverse;
    private readonly int layers;

    private BlockEffects(IReadOnlyList<PathLoss> known, SearchSpace space, AliveBlocks alive)
    {
        // Blocks that left have effects too: the paths through them tell of the others.
        layers = space.Layers.Count;
        int[] offset = [.. space.Layers.Select((_, l) => space.Layers.Take(l).Sum(x => x.Candidates.Count))];
        this.alive = [.. alive.Layers.Select((l, i) => l.Select(b => offset[i] + space.IndexOf(i, b)).ToArray())];
        PathLoss[][] groups = [.. known.GroupBy(p => p.Step).Select(g => g.ToArray()).Where(g => g.Length > 1)];
        columns = [.. groups.SelectMany(g => g).Select(p => p.Blocks.Select((b, l) => offset[l] + b).ToArray())];
        loss = [.. groups.SelectMany(g => g.Select(p => p.Loss - g.Average(q => q.Loss)))];
        int next = 0;
        steps = [.. groups.Select(g => g.Select(_ => next++).ToArray())];
        paths = new int[space.Layers.Sum(l => l.Candidates.Count)];
        foreach (int c in columns.SelectMany(c => c))
            paths[c]++;
        inverse = Inverse();
    }

    /// <summary>Degrees of freedom that the effects leave.</summary>
    private int Degrees => loss.Length - steps.Length - (paths.Count(p => p > 0) - layers);

    /// <summary>
    /// The tests of a unit's blocks, by layer, on the path losses that are known; <paramref name="removed"/> says how many a layer of so
    /// many blocks is asked to give up.
    /// </summary>
    public static ValueList<ValueList<BlockTest>> Of(IReadOnlyList<PathLoss> known, SearchSpace space,
        WorkUnit.TestBlocks unit, Func<int, int> removed)
    {
        AliveBlocks alive = unit.Alive;
        BlockEffects effects = new(known, space, alive);
        return effects.Test(effects.Degrees > 0 ? removed : _ => 0, unit); // Too few paths for so many blocks: effects, and no test.
    }

    private ValueList<ValueList<BlockTest>> Test(Func<int, int> removed, WorkUnit.TestBlocks unit)
    {
        double[] effect = Solve(loss);
        double[] residual = [.. loss.Select((y, r) => y - columns[r].Sum(c => effect[c]))];
        // As the jackknife's (HC3), on average: residuals are smaller than errors.
        double inflation = Degrees <= 0 ? 0 : Math.Pow((double)(loss.Length - steps.Length) / Degrees, 2);
        Layer[] all = [.. alive.Select(l => Of(l, effect, residual, removed(l.Length)))];
        double[][] statistics = [.. all.Select(l => l.Blocks.Select((_, i) => Statistic(l, i, inflation)).ToArray())];
        Func<double, double> probability = Probabilities([.. statistics.SelectMany(s => s)],
            [.. all.Select(Lowest).Where(l => l.Length > 1)], unit);
        return all.Select((l, i) => l.Blocks.Select((_, j) => Result(l, j, inflation, probability(statistics[i][j])))
            .ToValueList()).ToValueList();
    }

    /// <summary>The effects of a layer's alive blocks less their mean, and what each step adds to them.</summary>
    private Layer Of(int[] blocks, double[] effect, double[] residual, int removed)
    {
        int[] seen = [.. blocks.Where(b => paths[b] > 0)];
        double mean = seen.Select(b => effect[b]).DefaultIfEmpty(0).Average();
        double[] average = [.. inverse.Select((_, c) => seen.Select(b => inverse[b][c]).DefaultIfEmpty(0).Average())];
        double[][] weights = [.. blocks.Select(b => Weights([.. inverse[b].Zip(average, (v, m) => v - m)]))];
        return new(blocks, [.. blocks.Select(b => effect[b] - mean)], weights, [.. weights.Select(w => ByStep(w, residual))], removed);
    }

    /// <summary>
    /// A block without paths has no estimate: the sampler left it alone, so it stands with the worst of its layer, and is not sure.
    /// </summary>
    private BlockTest Result(Layer layer, int block, double inflation, double probability)
    {
        int[] of = paths[layer.Blocks[block]] > 0 ? [block] : [.. Enumerable.Range(0, layer.Blocks.Length)
            .Where(b => paths[layer.Blocks[b]] > 0).DefaultIfEmpty(block)];
        double error = of.Max(b => Math.Sqrt(inflation * layer.Influence[b].Sum(v => v * v)));
        return new(Math.Round(of.Max(b => layer.Effect[b]), 7), Math.Round(error, 7), paths[layer.Blocks[block]], probability);
    }

    private double Statistic(Layer layer, int block, double inflation)
    {
        if (layer.Removed < 1 || paths[layer.Blocks[block]] < Fewest)
            return double.NegativeInfinity;
        double[] t = [.. layer.Blocks.Select((c, i) => i == block || paths[c] < Fewest ? double.NegativeInfinity
            : T(layer.Effect[block] - layer.Effect[i], layer.Influence[block], layer.Influence[i], inflation)).OrderDescending()];
        return t[layer.Blocks.Length - layer.Removed - 1];
    }

    private static double T(double difference, double[] one, double[] other, double inflation)
    {
        double variance = 0;
        for (int s = 0; s < one.Length; s++)
            variance += (one[s] - other[s]) * (one[s] - other[s]);
        return variance > 0 ? difference / Math.Sqrt(inflation * variance) : 0;
    }

    /// <summary>What the paths add to the k + 1 blocks with the largest effects on the loss, of a layer that gives up any.</summary>
    private double[][] Lowest(Layer layer) => layer.Removed < 1 ? [] :
        [.. Enumerable.Range(0, layer.Blocks.Length).Where(b => paths[layer.Blocks[b]] >= Fewest).OrderByDescending(b => layer.Effect[b])
            .Take(layer.Removed + 1).Select(b => layer.Weights[b])];

    /// <summary>The probability of a statistic under the null.</summary>
    private Func<double, double> Probabilities(double[] statistics, double[][][] lowest, WorkUnit.TestBlocks unit)
    {
        SeededRandom random = new(unit.Seed);
        double[] sorted = [.. statistics.Where(double.IsFinite).Distinct().OrderDescending()];
        int[] exceeded = new int[sorted.Length];
        double[] permuted = [.. loss];
        int done = 0;
        while (done < unit.Permutations && sorted.Length > 0 && exceeded[0] < Exceedances)
        {
            foreach (int[] step in steps)
                random.Shuffle(permuted.AsSpan(step[0], step.Length));
            double most = Extreme(permuted, lowest);
            for (int i = 0; i < sorted.Length; i++)
                exceeded[i] += most >= sorted[i] ? 1 : 0;
            done++;
        }

        Dictionary<double, double> of = sorted.Select((t, i) => (t, P: Math.Round((exceeded[i] + 1.0) / (done + 1), 6)))
            .ToDictionary(x => x.t, x => x.P);
        return t => of.GetValueOrDefault(t, 1);
    }

    private double Extreme(double[] permuted, double[][][] weights)
    {
        double most = 0;
        foreach (double[][] layer in weights)
        {
            double[][] u = [.. layer.Select(w => ByStep(w, permuted))];
            double[] sums = [.. u.Select(x => x.Sum())];
            for (int i = 0; i < u.Length; i++)
            {
                for (int j = i + 1; j < u.Length; j++)
                    most = Math.Max(most, Math.Abs(T(sums[i] - sums[j], u[i], u[j], 1)));
            }
        }

        return most;
    }

    /// <summary>What each path's loss adds to a block's effect, less the mean of its layer's effects.</summary>
    private double[] Weights(double[] of)
    {
        double[] w = new double[loss.Length];
        foreach (int[] step in steps)
        {
            double mean = 0;
            foreach (int r in step)
            {
                foreach (int c in columns[r])
                    w[r] += of[c];
                mean += w[r] / step.Length;
            }

            foreach (int r in step)
                w[r] -= mean;
        }

        return w;
    }

    private double[] ByStep(double[] weights, double[] values)
    {
        double[] u = new double[steps.Length];
        for (int s = 0; s < steps.Length; s++)
        {
            foreach (int r in steps[s])
                u[s] += weights[r] * values[r];
        }

        return u;
    }

    private double[] Solve(double[] values)
    {
        double[] sums = new double[paths.Length];
        for (int r = 0; r < columns.Length; r++)
        {
            foreach (int c in columns[r])
                sums[c] += values[r];
        }

        return [.. Enumerable.Range(0, paths.Length).Select(i => Enumerable.Range(0, paths.Length).Sum(j => inverse[i][j] * sums[j]))];
    }

    /// <summary>
    /// (X'X + ridge)^-1 of the indicators less their means by step; the small ridge gives the effects of a layer the sum 0.
    /// </summary>
    private double[][] Inverse()
    {
        int n = paths.Length;
        Matrix<double> gram = Matrix<double>.Build.Dense(n, n);
        double[] sums = new double[n];
        foreach (int[] step in steps)
        {
            Array.Clear(sums);
            foreach (int[] row in step.Select(r => columns[r]))
            {
                foreach (int a in row)
                {
                    sums[a]++;
                    foreach (int b in row)
                        gram[a, b]++;
                }
            }

            int[] touched = [.. step.SelectMany(r => columns[r]).Distinct()];
            foreach (int a in touched)
            {
                foreach (int b in touched)
                    gram[a, b] -= sums[a] * sums[b] / step.Length;
            }
        }

        double ridge = 1e-6 * Math.Max(1, loss.Length);
        for (int i = 0; i < n; i++)
            gram[i, i] += ridge;
        return gram.Cholesky().Solve(Matrix<double>.Build.DenseIdentity(n)).ToRowArrays();
    }

    /// <summary>
    /// The alive blocks of a layer: columns, effects, weights of all paths in them, what each step adds to them, and how many the rule asks
    /// for.
    /// </summary>
    private sealed record Layer(int[] Blocks, double[] Effect, double[][] Weights, double[][] Influence, int Removed);
}
