namespace DaNas.Domain.Configuration;

public enum WarmupClasses
{
    First,
    All,
}

public sealed record WarmupOptions(double Epochs, WarmupClasses Classes)
{
    internal static WarmupOptions Read(ConfigSection s) => new(s.Number("epochs", 0, 10_000), s.OneOf<WarmupClasses>("classes"));
}
