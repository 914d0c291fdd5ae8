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
