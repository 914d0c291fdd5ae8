using System.Runtime.InteropServices;
using DaNas.Actors.Journals;
using DaNas.Runtime.Configuration;
using DaNas.Torch;
using DaNas.Torch.Data;

namespace DaNas.Runtime.Searches;

/// <summary>What 'danas doctor' looks at: whether this machine and this installation can run a search.</summary>
internal static class MachineCheck
{
    /// <summary>Each thing with what was found, and whether it is as it should be.</summary>
    public static IEnumerable<(string What, string Found, bool Good)> Of(OutputFolder folder)
    {
        yield return ("danas", $"{typeof(MachineCheck).Assembly.GetName().Version} on .NET {Environment.Version}, " +
            $"{RuntimeInformation.OSDescription}", true);
        yield return ("cores", Invariant($"{Environment.ProcessorCount}; trainers x threads should not exceed them"), true);
        yield return ("memory", Invariant($"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:0.0} GB"), true);
        yield return ("actors", $"Akka.NET {typeof(global::Akka.Actor.ActorSystem).Assembly.GetName().Version?.ToString(3)}", true);
        yield return Try("torch", () => TorchBinding.Description);
        yield return Try("cuda", () => TorchBinding.HasCuda ? "available" : TorchBinding.UnusedGpu
            ?? "not available (a CPU build of libtorch, or no device)");
        yield return Try("images", () => ImageCodec.Version);
        yield return Try("journal", () =>
        {
            using IEventJournal? journal = folder.TryOpenJournal();
            return journal is null ? $"none yet in {folder.Root}"
                : Invariant($"{folder.JournalName}, {journal.PersistenceIds().Count} searches");
        });
        yield return Try("configuration", () => File.Exists(Path.Combine(ConfigLoader.Home, "reference.conf"))
            ? ConfigLoader.Home : throw new FileNotFoundException($"{ConfigLoader.Home}/reference.conf is missing"));
    }

    private static (string What, string Found, bool Good) Try(string what, Func<string> look)
    {
        try
        {
            return (what, look(), true);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or JournalException
            or FileNotFoundException or ExternalException)
        {
            return (what, (e is TypeInitializationException { InnerException: { } inner } ? inner : e).Message, false);
        }
    }
}
