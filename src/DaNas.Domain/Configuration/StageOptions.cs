namespace DaNas.Domain.Configuration;

public sealed record StageOptions(double Epochs)
{
    internal static StageOptions Read(ConfigSection s) => new(s.Number("epochs", 0.001, 10_000));
}
