namespace DaNas.Domain.Configuration;

/// <summary>What answers work units: training, a table of trained architectures, or a made-up landscape (for dry runs).</summary>
public enum EngineKind
{
    Torch,
    Table,
    Landscape,
}

/// <summary>Which of a table's data sets is searched on; tables of one data set have <see cref="Cifar10"/>.</summary>
public enum TableDataset
{
    Cifar10,
    Cifar100,
    Imagenet16,
}

/// <summary>
/// The engine; <paramref name="Noise"/> is the standard deviation of one evaluation of a table, as a fraction of accuracy (0.05: 5 points).
/// </summary>
public sealed record EngineOptions(EngineKind Kind, string Table, TableDataset Dataset, double Noise)
{
    public static EngineOptions Torch { get; } = new(EngineKind.Torch, string.Empty, TableDataset.Cifar10, 0);

    internal static EngineOptions Read(ConfigSection s) => new(
        s.OneOf<EngineKind>("kind"), s.Text("table"), s.OneOf<TableDataset>("dataset"), s.Number("noise", 0, 1));
}
