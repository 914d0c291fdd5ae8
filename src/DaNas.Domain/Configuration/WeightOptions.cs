namespace DaNas.Domain.Configuration;

public enum LearningRateSchedule
{
    CosineTotal,
    CosinePerStage,
    Constant,
}

/// <summary>SGD with momentum for the weights. Weight decay acts on convolutions and the classifier, not on batch norm.</summary>
public sealed record WeightOptions(double LearningRate, double Momentum, double WeightDecay, int Batch,
    LearningRateSchedule Schedule, double LabelSmoothing)
{
    internal static WeightOptions Read(ConfigSection s) => new(
        s.Number("learning-rate", 1e-9, 100),
        s.Number("momentum", 0, 0.9999),
        s.Number("weight-decay", 0, 1),
        s.Int("batch", 1, 65_536),
        s.OneOf<LearningRateSchedule>("schedule"),
        s.Number("label-smoothing", 0, 0.9));
}
