namespace DaNas.Domain.Configuration;

/// <summary>Adam for the architecture parameters.</summary>
public sealed record ArchitectureOptions(double LearningRate, double Beta1, double Beta2, double WeightDecay, int Batch)
{
    internal static ArchitectureOptions Read(ConfigSection s) => new(
        s.Number("learning-rate", 1e-9, 100), s.Number("beta1", 0, 0.99999), s.Number("beta2", 0, 0.99999), s.Number("weight-decay", 0, 1),
            s.Int("batch", 1, 65_536));
}
