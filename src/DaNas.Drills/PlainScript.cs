using System.Globalization;
using System.Text;
using System.Text.Json;
using DaNas.Actors.Wire;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Runtime.Blobs;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Simulation;
using DaNas.Torch;

namespace DaNas.Drills;

/// <summary>
/// What people write without an orchestrator, to compare with: one process that does the same units one after another and saves its
/// progress at the end of each epoch. What it did since is lost when it dies.
/// </summary>
internal static class PlainScript
{
    /// <summary>What the script needs to know of a search.</summary>
    public static void WriteConfiguration(SearchRecord record, string file) =>
        File.WriteAllText(
            file, JsonSerializer.Serialize(new Setup(record.State.Config!.Text, record.State.Started!.Data), DomainJson.Stored));

    /// <summary>Goes on from the last save to the end of the search.</summary>
    public static int Run(string file, string setupFile)
    {
        Setup setup = JsonSerializer.Deserialize<Setup>(File.ReadAllText(setupFile), DomainJson.Stored)!;
        SearchConfig config = SearchConfig.FromCanonicalText(setup.Configuration);
        TorchBinding.Prepare(config.Trainers.Threads);
        TorchEngine engine = new(new EngineSession(new EngineContext(config, setup.Data), new FileBlobStore(file + ".blobs")));
        SimulatedSearch search = new(config, setup.Data, u => engine.Run(u, CancellationToken.None));
        List<SearchEvent> saved = Load(file);
        List<SearchEvent> events = [.. saved];
        search.RunClean(saved, (state, e) =>
        {
            events.Add(e);
            if (EndsEpoch(state, e))
                Save(file, events);
        });
        return ExitCode.Done;
    }

    /// <summary>Training seconds that are saved, and the seconds between the first and the last save.</summary>
    public static double Useful(string file, out double seconds)
    {
        double useful = Load(file).Sum(KillLoop.Seconds);
        seconds = File.Exists(file + ".time") ? double.Parse(File.ReadAllText(file + ".time"), CultureInfo.InvariantCulture) : 1;
        return useful;
    }

    /// <summary>An epoch of a stage, a retraining run's epoch, the end of the difficulty measurement, and the end.</summary>
    private static bool EndsEpoch(SearchState after, SearchEvent e) => e switch
    {
        SearchEvent.RoundCompleted x => after.Phase is not SearchPhase.Training p
            || (x.Round + 1) % Math.Max(1, (int)Math.Round(p.Stage.Rounds / EpochsOf(after, p))) == 0,
        SearchEvent.SegmentCompleted x => (x.Segment + 1) % Math.Max(1, (int)Math.Round(RetrainPlan.Steps(after.Config!,
            after.Started!.Data, RetrainPlan.Winner) / after.Config!.Retrain.Epochs / after.Config.Retrain.SegmentSteps)) == 0,
        SearchEvent.DifficultyMeasured or SearchEvent.ArchitectureSelected or SearchEvent.ModelRetrained
            or SearchEvent.SearchCompleted => true,
        _ => false,
    };

    private static double EpochsOf(SearchState state, SearchPhase.Training p) =>
        Math.Max(1, p.Stage.IsWarmup ? state.Config!.Warmup.Epochs : state.Config!.Stage.Epochs);

    private static void Save(string file, List<SearchEvent> events)
    {
        StringBuilder text = new();
        foreach (SearchEvent e in events)
            text.Append(WireFormat.ManifestOf(e)).Append(' ').Append(Encoding.UTF8.GetString(WireFormat.Write(e))).Append('\n');
        File.WriteAllText(file + ".new", text.ToString());
        File.Move(file + ".new", file, true);
        using System.Diagnostics.Process self = System.Diagnostics.Process.GetCurrentProcess();
        File.WriteAllText(file + ".time", (DateTime.Now - self.StartTime).TotalSeconds.ToString(CultureInfo.InvariantCulture));
    }

    private static List<SearchEvent> Load(string file) => File.Exists(file)
        ? [.. File.ReadAllLines(file).Select(l => (SearchEvent)WireFormat.Read(
            l[..l.IndexOf(' ', StringComparison.Ordinal)], Encoding.UTF8.GetBytes(l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..])))]
        : [];

    private sealed record Setup(string Configuration, DatasetSummary Data);
}
