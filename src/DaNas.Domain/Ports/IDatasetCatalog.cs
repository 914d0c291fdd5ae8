using DaNas.Domain.Configuration;
using DaNas.Domain.Stages;

namespace DaNas.Domain.Ports;

/// <summary>Knows data sets without decoding them.</summary>
public interface IDatasetCatalog
{
    /// <summary>
    /// Lists the data set of a configuration: classes, split sizes, fingerprint; what is left out of it are remarks. Throws
    /// <see cref="DataException"/> with the file and the remedy.
    /// </summary>
    DatasetSummary Describe(SearchConfig config, Action<string>? remark = null);
}
