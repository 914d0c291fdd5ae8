using System.CommandLine;
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>train: known architectures from scratch, journalled and resumable like a search.</summary>
internal static class TrainVerb
{
    public static Command Train()
    {
        Argument<string> what = Shared.Argument<string>("ARCH|ID",
            "An architecture as text (cpu-base/k3e6.k5e3...; separate several with commas), or the ID of a search that has chosen one.");
        Argument<string?> conf = new("CONF")
        {
            Description =
            "The configuration with data and recipe (retrain { ... }); by default the search's own.",
            Arity = ArgumentArity.ZeroOrOne
        };
        Option<int> top = Shared.Option("--top", 1, "For a search: number of its candidates to train, best first.");
        Option<int> controls = Shared.Option<int>("--controls", "Also trains this many random architectures with about the same MACs.");
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<string?> id = Shared.Option<string?>("--id", "ID of the training run (default: its name, the time and four digits).");
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command =
            new("train", "Trains architectures from scratch on all data, in resumable units; use 'danas resume' to resume the training " +
                "and 'danas export' to export the result.") { what, conf, top, controls, set, data, id, output, json };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            string text = parsed.GetValue(what)!;
            bool isArchitecture = text.Contains('/', StringComparison.Ordinal);
            if (isArchitecture && parsed.GetValue(conf) is null)
                throw new UsageException("specify the configuration with the data and the recipe after the architecture: " +
                    "danas train ARCH CONF");
            SearchRecord? record = isArchitecture ? null : SearchRecord.Load(folder, text);
            string[] wanted = record is null ? text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                : [.. Candidates(record, parsed.GetValue(top)).Select(a => a.Text)];
            string[] sets =
            [
                "search.strategy=given", $"search.name=train-{(record is null ? "architecture" : record.State.Config!.Search.Name)}",
                    $"search.architectures=[{string.Join(", ", wanted.Select(w => $"\"{w}\""))}]",
                Invariant($"controls.count={parsed.GetValue(controls)}"), .. parsed.GetValue(set) ?? [],
            ];
            SearchConfig config = parsed.GetValue(conf) is { } file
                ? ConfigLoader.Load(file, sets, parsed.GetValue(data))
                : ConfigLoader.Anew(record!.State.Started!.Configuration, sets, parsed.GetValue(data));
            folder.Create();
            int code = await RunVerbs.HereAsync(config, folder, parsed.GetValue(id), parsed.GetValue(json));
            return code;
        }));
        return command;
    }

    /// <summary>The chosen architecture, then the other candidates by the finals and by their supernet accuracy.</summary>
    private static ValueList<Architecture> Candidates(SearchRecord record, int top)
    {
        if (record.State.Selected is not { } selected)
            throw new UsageException($"search {record.Id} has not chosen an architecture yet " +
                $"({SearchRecord.NameOf(record.State.Phase)}); resume it with 'danas resume {record.Id}'");
        ValueList<RankedArchitecture> ranked = record.Events.Select(e => e.Event).OfType<SearchEvent.ArchitecturesRanked>().Last().Ranked;
        IEnumerable<Architecture> others = Finals.Order(record.Events.Select(e => e.Event).OfType<SearchEvent>()).Concat(
            ranked.Select((r, i) => (r.Architecture, Accuracy: selected.Accuracies.ElementAtOrDefault(i), Rank: i))
            .OrderByDescending(x => x.Accuracy).ThenBy(x => x.Rank).Select(x => x.Architecture)).Distinct();
        Architecture[] all = [selected.Winner, .. others.Where(a => a != selected.Winner)];
        return top <= all.Length ? all.Take(Math.Max(1, top)).ToValueList()
            : throw new UsageException($"--top {top}: search {record.Id} ranked {all.Length} candidates (derivation.candidates)");
    }
}
