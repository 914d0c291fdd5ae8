using DaNas.Domain.Values;

namespace DaNas.Domain.Searches;

public sealed record ProxyProgress(int Seed, UnitChain Chain, ValueList<ValueList<double>> Accuracy, ValueList<ValueList<double>> Loss)
{
    public BlobRef? Newest => Chain.Newest;
}
