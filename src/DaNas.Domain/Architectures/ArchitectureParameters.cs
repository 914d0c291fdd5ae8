using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Architectures;

/// <summary>
/// The architecture parameters alpha, their probabilities p = softmax(alpha) over the alive blocks of a layer, and their Adam state, in
/// double precision on the host: they are few, and their gradients have closed forms.
/// </summary>
public sealed class ArchitectureParameters
{
    private const double Epsilon = 1e-8;

    private readonly double[][] alpha;
    private readonly double[][] first;
    private readonly double[][] second;

    public ArchitectureParameters(AliveBlocks alive)
    {
        Alive = alive;
        alpha = [.. alive.Layers.Select(l => new double[l.Count])];
        first = [.. alive.Layers.Select(l => new double[l.Count])];
        second = [.. alive.Layers.Select(l => new double[l.Count])];
    }

    public AliveBlocks Alive { get; }

    /// <summary>Adam steps since the stage began.</summary>
    public int Steps { get; set; }

    public double[] AlphaOf(int layer) => alpha[layer];

    /// <summary>One block's alpha and Adam moments, for checkpoints.</summary>
    public (double Alpha, double First, double Second) this[int layer, int index]
    {
        get => (alpha[layer][index], first[layer][index], second[layer][index]);
        set => (alpha[layer][index], first[layer][index], second[layer][index]) = value;
    }

    public double[] Probabilities(int layer) => Softmax(alpha[layer]);

    /// <summary>A uniform path over the alive blocks.</summary>
    public int[] UniformPath(SeededRandom random) => [.. Alive.Layers.Select(l => random.NextInt(l.Count))];

    /// <summary>
    /// Gumbel-softmax (Jang et al. 2017): y = softmax((log p + g) / tau), the path is its argmax. Returns y too, for the gradient of
    /// the straight-through gate (1 + (y - stop(y))), whose value is exactly 1.
    /// </summary>
    public (int[] Path, double[][] Soft) GumbelPath(SeededRandom random, double temperature)
    {
        int[] path = new int[alpha.Length];
        double[][] soft = new double[alpha.Length][];
        for (int l = 0; l < alpha.Length; l++)
        {
            double[] p = Probabilities(l);
            double[] logits = [.. p.Select(v => (Math.Log(Math.Max(v, 1e-30))
                - Math.Log(-Math.Log(Math.Clamp(random.NextDouble(), 1e-9, 1 - 1e-9)))) / temperature)];
            soft[l] = Softmax(logits);
            path[l] = Array.IndexOf(logits, logits.Max());
        }

        return (path, soft);
    }

    /// <summary>dL/dalpha of one path's gates: dL/dgate_l y_o (1[j = o] - y_j) / tau.</summary>
    public static double[][] GateGradients(int[] path, double[][] soft, double[] gates, double temperature) =>
        [.. soft.Select((y, l) => y.Select((yj, j) => gates[l] * y[path[l]] * ((j == path[l] ? 1 : 0) - yj) / temperature).ToArray())];

    /// <summary>
    /// Two blocks a layer, drawn by p without replacement: the one that works, drawn between the two by their p, and the other; one where
    /// no other is alive.
    /// </summary>
    public int[][] Pairs(SeededRandom random) => [.. alpha.Select((_, l) =>
    {
        double[] p = Probabilities(l);
        if (p.Length == 1)
            return (int[])[0];
        int a = Drawn(p, random);
        int b = Drawn([.. p.Select((v, j) => j == a ? 0 : v)], random);
        return Drawn([p[a], p[b]], random) == 0 ? [a, b] : [b, a];
    })];

    /// <summary>
    /// One step on the pairs alone (Cai et al. 2019): with q the two probabilities as shares of their sum s, dL/dalpha_i = sum over j of
    /// (dL/dgate_j + s dC/dp_j) q_j (1[i = j] - q_i). The two are then shifted together, so that s, and with it every other block's
    /// probability, stays what it was.
    /// </summary>
    public void StepPairs(int[][] pairs, double[][] gates, double[][] cost, ArchitectureOptions o)
    {
        Steps++;
        foreach ((int[] pair, int l) in pairs.Select((x, l) => (x, l)).Where(x => x.x.Length == 2))
        {
            double[] p = Probabilities(l);
            double s = p[pair[0]] + p[pair[1]];
            double[] q = [p[pair[0]] / s, p[pair[1]] / s];
            double[] slope = [gates[l][0] + (s * cost[l][pair[0]]), gates[l][1] + (s * cost[l][pair[1]])];
            double mean = (q[0] * slope[0]) + (q[1] * slope[1]);
            double before = LogSumExp(alpha[l][pair[0]], alpha[l][pair[1]]);
            for (int i = 0; i < 2; i++)
                AdamStep(l, pair[i], q[i] * (slope[i] - mean), o);
            double shift = before - LogSumExp(alpha[l][pair[0]], alpha[l][pair[1]]);
            alpha[l][pair[0]] += shift;
            alpha[l][pair[1]] += shift;
        }
    }

    /// <summary>
    /// Score function with leave-one-out baseline: dL/dalpha_j = mean over paths k of (loss_k - mean of the other losses) (1[j = o_k] -
    /// p_j).
    /// </summary>
    public double[][] LeaveOneOutGradients(IReadOnlyList<int[]> paths, IReadOnlyList<double> losses)
    {
        double total = losses.Sum();
        double[][] gradients = [.. alpha.Select(a => new double[a.Length])];
        for (int k = 0; k < paths.Count; k++)
        {
            double advantage = (losses[k] - ((total - losses[k]) / (paths.Count - 1))) / paths.Count;
            for (int l = 0; l < alpha.Length; l++)
            {
                double[] p = Probabilities(l);
                for (int j = 0; j < p.Length; j++)
                    gradients[l][j] += advantage * ((paths[k][l] == j ? 1 : 0) - p[j]);
            }
        }

        return gradients;
    }

    /// <summary>Through the softmax of probabilities: dL/dalpha_k = p_k (dL/dp_k - sum_j p_j dL/dp_j).</summary>
    public double[][] ThroughSoftmax(double[][] gradients) => [.. gradients.Select((g, l) =>
    {
        double[] p = Probabilities(l);
        double mean = p.Zip(g, (a, b) => a * b).Sum();
        return p.Zip(g, (a, b) => a * (b - mean)).ToArray();
    })];

    /// <summary>Expected cost E = fixed + sum p F, in whatever unit the costs have.</summary>
    public double Expected(double fixedCost, Func<int, string, double> of) =>
        fixedCost + Alive.Layers.Select((l, i) => Probabilities(i).Select((p, j) => p * of(i, l[j])).Sum()).Sum();

    /// <summary>
    /// The cost terms' value and gradient in p: lambda max(0, E/T - 1), or lambda max(0, ln(E/T)), for MACs and for a bound on latency.
    /// </summary>
    public (double Value, double[][] Gradients) CostTerm(CostTable costs, CostOptions options, ArchitectureBudget budget)
    {
        (double value, double[][] gradients) = Term(options, budget.Macs, costs.Fixed.Macs, (l, b) => costs.Of(l, b).Macs);
        if (budget.Latency is not { } table)
            return (value, gradients);
        (double slow, double[][] slower) = Term(options, budget.Milliseconds, table.FixedMilliseconds, table.Of);
        return (value + slow, [.. gradients.Select((g, l) => g.Zip(slower[l], (a, b) => a + b).ToArray())]);
    }

    private (double Value, double[][] Gradients) Term(CostOptions options, double budget, double fixedCost, Func<int, string, double> of)
    {
        if (budget <= 0)
            return (0, [.. Alive.Layers.Select(l => new double[l.Count])]); // A table without costs.
        double expected = Expected(fixedCost, of);
        double value = options.Form == CostForm.Hinge ? Math.Max(0, (expected / budget) - 1) : Math.Max(0, Math.Log(expected / budget));
        double slope = value <= 0 ? 0 : options.Form == CostForm.Hinge ? options.Lambda / budget : options.Lambda / expected;
        return (options.Lambda * value, [.. Alive.Layers.Select((l, i) => l.Select(b => slope * of(i, b)).ToArray())]);
    }

    /// <summary>One Adam step (Kingma and Ba 2015) with weight decay added to the gradient.</summary>
    public void Adam(double[][] gradients, ArchitectureOptions o)
    {
        Steps++;
        for (int l = 0; l < alpha.Length; l++)
        {
            for (int j = 0; j < alpha[l].Length; j++)
                AdamStep(l, j, gradients[l][j], o);
        }
    }

    private void AdamStep(int l, int j, double gradient, ArchitectureOptions o)
    {
        double g = gradient + (o.WeightDecay * alpha[l][j]);
        first[l][j] = (o.Beta1 * first[l][j]) + ((1 - o.Beta1) * g);
        second[l][j] = (o.Beta2 * second[l][j]) + ((1 - o.Beta2) * g * g);
        alpha[l][j] -= o.LearningRate * (first[l][j] / (1 - Math.Pow(o.Beta1, Steps)))
            / (Math.Sqrt(second[l][j] / (1 - Math.Pow(o.Beta2, Steps))) + Epsilon);
    }

    /// <summary>After pruning alpha stays and the Adam state begins anew.</summary>
    public void ResetAdam()
    {
        Steps = 0;
        foreach (double[] m in first.Concat(second))
            Array.Clear(m);
    }

    private static int Drawn(double[] weights, SeededRandom random)
    {
        double at = random.NextDouble() * weights.Sum();
        int chosen = Array.FindLastIndex(weights, w => w > 0);
        for (int j = 0; j < chosen; j++)
        {
            at -= weights[j];
            if (at < 0)
                return j;
        }

        return chosen;
    }

    private static double LogSumExp(double a, double b) => Math.Max(a, b) + Math.Log(1 + Math.Exp(-Math.Abs(a - b)));

    private static double[] Softmax(double[] logits)
    {
        double max = logits.Max();
        double[] e = [.. logits.Select(v => Math.Exp(v - max))];
        double sum = e.Sum();
        return [.. e.Select(v => v / sum)];
    }
}
