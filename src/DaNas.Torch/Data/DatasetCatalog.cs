using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;

namespace DaNas.Torch.Data;

/// <summary>Lists data sets without decoding them.</summary>
public sealed class DatasetCatalog : IDatasetCatalog
{
    public DatasetSummary Describe(SearchConfig config, Action<string>? remark = null)
    {
        ImageSource source = ImageSource.Open(config);
        foreach (string text in remark is null ? [] : source.Remarks)
            remark!(text);
        return Describe(source, config);
    }

    /// <summary>Of a source that is open: a listing of a million names is not made twice.</summary>
    public static DatasetSummary Describe(ImageSource source, SearchConfig config)
    {
        DatasetSplits splits = DatasetSplits.Of(source, config);
        return new(source.Name, source.Fingerprint, source.Classes, Counts(splits.Weights), Counts(splits.Validation), Counts(splits.Test));
    }

    private static ValueList<int> Counts(IReadOnlyList<ImageEntry[]> classes) => classes.Select(c => c.Length).ToValueList();
}
