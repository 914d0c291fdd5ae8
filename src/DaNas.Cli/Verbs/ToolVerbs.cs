using System.CommandLine;
using System.Runtime.InteropServices;
using DaNas.Actors.Journals;
using DaNas.Cli.Presentation;
using DaNas.Domain.Searches;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch;
using DaNas.Torch.Data;

namespace DaNas.Cli.Verbs;

/// <summary>doctor and export.</summary>
internal static class ToolVerbs
{
    public static Command Doctor()
    {
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("doctor", "Says what was found here: libtorch, devices, threads, packages, data base.") { output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            List<(string What, string Found, bool Good)> rows = [.. Checks(Shared.Folder(parsed, output))];
            if (parsed.GetValue(json))
                Output.PrintJson("doctor", new { checks = rows.Select(r => new { r.What, r.Found, r.Good }).ToArray() });
            else
                Output.PrintTable(["what", "found", ""], rows.Select(r => (IReadOnlyList<string>)[r.What, r.Found, r.Good ? "ok" : "look"]));
            return rows.All(r => r.Good) ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static IEnumerable<(string What, string Found, bool Good)> Checks(OutputFolder folder)
    {
        yield return ("danas", $"{typeof(ToolVerbs).Assembly.GetName().Version} on .NET {Environment.Version}, {RuntimeInformation.OSDescription}", true);
        yield return ("cores", Output.Text($"{Environment.ProcessorCount}; trainers x threads should not exceed them"), true);
        yield return ("memory", Output.Text($"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:0.0} GB"), true);
        yield return ("actors", $"Akka.NET {typeof(Akka.Actor.ActorSystem).Assembly.GetName().Version?.ToString(3)}", true);
        yield return Try("torch", () => TorchBinding.Description);
        yield return Try("cuda", () => TorchBinding.HasCuda ? "available" : TorchBinding.UnusedGpu ?? "not available (a CPU build of libtorch, or no device)");
        yield return Try("images", () => ImageCodec.Version);
        yield return Try("journal", () =>
        {
            using IEventJournal? journal = folder.TryOpenJournal();
            return journal is null ? $"none yet in {folder.Root}" : Output.Text($"{folder.JournalName}, {journal.PersistenceIds().Count} searches");
        });
        yield return Try("configuration", () => File.Exists(Path.Combine(ConfigLoader.Home, "reference.conf")) ? ConfigLoader.Home : throw new FileNotFoundException($"{ConfigLoader.Home}/reference.conf is missing"));
    }

    private static (string What, string Found, bool Good) Try(string what, Func<string> look)
    {
        try
        {
            return (what, look(), true);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or JournalException or FileNotFoundException or ExternalException)
        {
            return (what, (e is TypeInitializationException { InnerException: { } inner } ? inner : e).Message, false);
        }
    }
}
