using DaNas.Domain.Configuration;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Domain.Evaluation;

/// <summary>The evidence for one block: mean, variance of the samples, two-sided confidence interval, number of samples.</summary>
public sealed record BlockScore(int Layer, string Block, double Score, double Variance, double Low, double High, int Samples)
{
    /// <summary>Mean and Student interval of the samples; one sample has the widest interval there is, [0, 1].</summary>
    public static BlockScore Of(int layer, string block, IReadOnlyList<double> samples, double confidence)
    {
        double mean = samples.Count == 0 ? 0 : samples.Average();
        if (samples.Count < 2)
            return new(layer, block, mean, 0, 0, 1, samples.Count);
        double variance = samples.Sum(v => (v - mean) * (v - mean)) / (samples.Count - 1);
        double half = Student.Quantile(confidence, samples.Count - 1) * Math.Sqrt(variance / samples.Count);
        return new(layer, block, mean, variance, mean - half, mean + half, samples.Count);
    }

    /// <summary>An effect on the loss as a score: larger is better, so the sign is turned; one sample a path.</summary>
    public static BlockScore Of(int layer, string block, BlockTest test, double confidence)
    {
        double score = 0 - test.Effect; // Not -0.
        double half = Student.Quantile(confidence, Math.Max(1, test.Paths - 1)) * test.Error;
        return new(layer, block, score, test.Error * test.Error * test.Paths, score - half, score + half, test.Paths);
    }
}

/// <summary>Scores of the blocks of a stage, ordered by layer and then by the space's order: the one interchange point of strategies.</summary>
public sealed record ScoreTable(ValueList<BlockScore> Scores)
{
    public static ScoreTable Empty { get; } = new(ValueList<BlockScore>.Empty);

    /// <summary>The table with more scores in it, in canonical order; a block scored again keeps the newer score.</summary>
    public ScoreTable Merge(IEnumerable<BlockScore> scores, AliveBlocks alive)
    {
        Dictionary<(int, string), BlockScore> all = Scores.ToDictionary(s => (s.Layer, s.Block));
        foreach (BlockScore score in scores)
            all[(score.Layer, score.Block)] = score;
        return new(alive.Layers.SelectMany((layer, l) => layer.Select(b => all.GetValueOrDefault((l, b))).OfType<BlockScore>()).ToValueList());
    }

    public ValueList<BlockScore> OfLayer(int layer) => Scores.Where(s => s.Layer == layer).ToValueList();

    public double Of(int layer, string block) => Scores.FirstOrDefault(s => s.Layer == layer && s.Block == block)?.Score ?? 0;

    public bool Covers(AliveBlocks alive) => Scores.Count == alive.Count;
}

/// <summary>Which evidence to ask for next. Pure; runs only when every unit of the evidence round before is stored.</summary>
public static class EvidencePlanner
{
    /// <summary>
    /// Requests of evidence round <paramref name="roundsDone"/>: first every block of a layer with a choice, then, up to the bound, the
    /// blocks whose interval straddles their layer's cut. Ordered by (layer, block); empty when the evidence is enough.
    /// </summary>
    public static ValueList<BlockRequest> Next(ScoreTable scores, AliveBlocks alive, SearchConfig config, int roundsDone)
    {
        if (roundsDone >= config.Evidence.Rounds)
            return [];
        if (roundsDone == 0)
            return alive.Layers.SelectMany((l, i) => l.Count > 1 ? l.Select(b => new BlockRequest(i, b)) : []).ToValueList();
        List<BlockRequest> requests = [];
        for (int layer = 0; layer < alive.Layers.Count; layer++)
        {
            BlockScore[] ranked = [.. scores.OfLayer(layer).OrderBy(s => s.Score)];
            int removed = (int)Math.Floor(config.Prune.Ratio * ranked.Length);
            if (removed == 0 || removed >= ranked.Length)
                continue;
            double cut = (ranked[removed - 1].Score + ranked[removed].Score) / 2;
            requests.AddRange(scores.OfLayer(layer).Where(s => s.Low < cut && cut < s.High).Select(s => new BlockRequest(layer, s.Block)));
        }

        return requests.ToValueList();
    }
}

/// <summary>Student's t for confidence intervals.</summary>
public static class Student
{
    /// <summary>
    /// The value that |t| of the given degrees of freedom stays under with probability <paramref name="confidence"/>: exact for 1 and 2
    /// degrees, else Hill's expansion (CACM algorithm 396, 1970; relative error under 1e-3).
    /// </summary>
    public static double Quantile(double confidence, int degrees)
    {
        double p = 1 - confidence;
        if (degrees == 1)
            return 1 / Math.Tan(p * Math.PI / 2);
        if (degrees == 2)
            return Math.Sqrt((2 / (p * (2 - p))) - 2);
        double n = degrees;
        double a = 1 / (n - 0.5);
        double b = 48 / (a * a);
        double c = ((((20700 * a / b) - 98) * a - 16) * a) + 96.36;
        double d = ((((94.5 / (b + c)) - 3) / b) + 1) * Math.Sqrt(a * Math.PI / 2) * n;
        double y = Math.Pow(d * p, 2 / n);
        if (y <= 0.05 + a)
        {
            y = ((((1 / ((((n + 6) / (n * y)) - (0.089 * d) - 0.822) * (n + 2) * 3)) + (0.5 / (n + 4))) * y) - 1) * (n + 1) / (n + 2) + (1 / y);
            return Math.Sqrt(n * y);
        }

        double x = Normal(p / 2);
        y = x * x;
        if (degrees < 5)
            c += 0.3 * (n - 4.5) * (x + 0.6);
        c += (((((((0.05 * d * x) - 5) * x) - 7) * x) - 2) * x) + b;
        y = (((((((((0.4 * y) + 6.3) * y) + 36) * y) + 94.5) / c) - y - 3) / b + 1) * x;
        y = a * y * y;
        y = y > 0.002 ? Math.Exp(y) - 1 : (0.5 * y * y) + y;
        return Math.Sqrt(n * y);
    }

    /// <summary>Lower-tail quantile of the standard normal (Abramowitz and Stegun 26.2.23, absolute error under 4.5e-4), negative for p under 0.5.</summary>
    private static double Normal(double p)
    {
        double t = Math.Sqrt(-2 * Math.Log(p));
        return -(t - ((2.515517 + (0.802853 * t) + (0.010328 * t * t)) / (1 + (1.432788 * t) + (0.189269 * t * t) + (0.001308 * t * t * t))));
    }
}
