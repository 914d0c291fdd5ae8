using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Runtime.Experiments;

/// <summary>
/// Trainings of a table of architectures by themselves, as one journalled search of strategy given: interrupted, it goes on; done, it is
/// not done again.
/// </summary>
internal static class TruthTraining
{
    /// <summary>The keys that make a configuration train these architectures and nothing else.</summary>
    public static IEnumerable<string> Sets(string name, IEnumerable<Architecture> table) =>
        ["search.strategy=given", $"search.name={name}", $"search.architectures=[{string.Join(", ", table.Select(a => $"\"{a.Text}\""))}]",
            "controls.count=0"];

    /// <summary>The id names everything that the results depend on, so that another training never takes its place.</summary>
    public static string IdOf(string name, int count, SearchConfig config) =>
        Invariant($"{name}-{count}x{config.Retrain.Seeds}-{ConfigDrift.Identity(config.Text).Hex[..6]}");

    /// <summary>The finished training, or the exit code with which it did not end.</summary>
    public static async Task<(SearchRecord? Record, int Code)> RunAsync(
        ISearchHost host, OutputFolder folder, string id, SearchConfig config)
    {
        int code;
        if (SearchRecord.Ids(folder).Contains(id))
        {
            SearchRecord begun = SearchRecord.Load(folder, id);
            code = begun.State.Phase is SearchPhase.Completed ? ExitCode.Done : await host.GoOnAsync(begun, folder);
        }
        else
        {
            code = await host.BeginAsync(config, folder, id);
        }

        return code == ExitCode.Done ? (SearchRecord.Load(folder, id), code) : (null, code);
    }

    /// <summary>Accuracies of an architecture, one a seed.</summary>
    public static ValueList<double> Results(SearchRecord training, Architecture a) =>
        training.Events.Select(e => e.Event).OfType<SearchEvent.ModelRetrained>()
        .Where(m => m.Architecture == a).OrderBy(m => m.Run.Length).ThenBy(m => m.Run, StringComparer.Ordinal)
            .Select(m => m.TestAccuracy).ToValueList();

    /// <summary>What the untrained networks of an architecture told, the mean over its seeds; null where the journal has nothing.</summary>
    public static InitialScores? Initial(SearchRecord training, Architecture a)
    {
        HashSet<string> runs = [.. training.Events.Select(e => e.Event).OfType<SearchEvent.ModelRetrained>()
            .Where(m => m.Architecture == a).Select(m => m.Run)];
        InitialScores[] all = [.. training.Events.Select(e => e.Event).OfType<SearchEvent.SegmentCompleted>()
            .Where(s => runs.Contains(s.Run)).Select(s => s.Initial).OfType<InitialScores>()];
        return all.Length == 0 ? null : new(Math.Round(all.Average(s => s.LogSynflow), 6),
            Math.Round(all.Average(s => s.JacobianCovariance), 6));
    }
}
