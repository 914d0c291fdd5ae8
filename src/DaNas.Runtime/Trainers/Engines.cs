using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Stages;
using DaNas.Runtime.Blobs;
using DaNas.Simulation.Engines;
using DaNas.Torch;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;

namespace DaNas.Runtime.Trainers;

/// <summary>The engine that a configuration names, with what its results depend on.</summary>
internal sealed record Engines(ITrainingEngine Engine, string Profile)
{
    /// <summary>What there is to search on: a data set, or a table.</summary>
    public static DatasetSummary Describe(SearchConfig config, Action<string>? remark = null) =>
        config.Engine.Kind == EngineKind.Table ? ArchitectureTable.Open(config).Summary : new DatasetCatalog().Describe(config, remark);

    /// <summary>Opens it in this process, over a folder of blobs.</summary>
    public static Engines Open(SearchConfig config, DatasetSummary data, string blobFolder)
    {
        FileBlobStore blobs = new(blobFolder);
        EngineContext context = new(config, data);
        switch (config.Engine.Kind)
        {
            case EngineKind.Landscape:
                return new(new LandscapeEngine(context, blobs), "landscape");
            case EngineKind.Table:
                ArchitectureTable table = ArchitectureTable.Open(config);
                return table.Fingerprint == data.Fingerprint
                    ? new(new TableEngine(context, table, blobs), TableEngine.ProfileOf(table))
                    : throw new DataException($"{config.Engine.Table}: the table is not the one that the search started with " +
                        $"(fingerprint {table.Fingerprint.Short}, expected {data.Fingerprint.Short}); restore the original file, " +
                        $"or start a new search");
            default:
                TorchBinding.Prepare(config.Trainers.Threads);
                EngineSession session = new(context, blobs);
                string profile = EngineSession.ProfileOf(config);
                if (config.Trainers.Device == "cpu")
                    CheckOnce(Path.Combine(Path.GetDirectoryName(blobFolder)!, "convolutions-checked.txt"), profile,
                        () => ConvolutionCheck.Run(session.Space, config.Trainers.Layout == TensorLayout.ChannelsLast));
                return new(new TorchEngine(session), profile);
        }
    }

    /// <summary>Once for a search and a numerics profile, so that a restarted trainer is back at work at once.</summary>
    private static void CheckOnce(string file, string profile, Action check)
    {
        if (File.Exists(file) && File.ReadAllText(file) == profile)
            return;
        check();
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, profile);
    }
}
