using System.CommandLine;
using DaNas.Actors.Journals;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>Time travel, since a state is a fold: state --at, fork, diff, replay.</summary>
internal static class TravelVerbs
{
    public static Command State()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Option<string?> at = Shared.Option<string?>("--at", "After this many events, or at a time such as 02:13 (on the day of the last " +
            "event) or 2026-03-01T02:13 (default: after all).");
        Command command = new("state", "Shows a search as it was after any of its events.") { id, at, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            SearchRecord record = SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!);
            int count = EventCounts.At(record, parsed.GetValue(at));
            SearchState state = SearchRecord.StateAt(record.Events, count);
            StoredEvent last = record.Events[count - 1];
            if (parsed.GetValue(json))
            {
                Output.PrintJson("state", new
                {
                    search = record.Id,
                    at = count,
                    last = last.Manifest,
                    created = last.Created,
                    phase = state.Phase.GetType().Name,
                    stage = SearchPhase.StageOf(state.Phase)?.Index,
                    round = (state.Phase as SearchPhase.Training)?.Round,
                    alive = state.Alive!.Layers.Select(l => l.ToArray()),
                    supernet = state.Supernet?.Digest.Hex,
                    decisionHash = state.DecisionHash.Hex,
                    forwardImages = state.Cost.ForwardImages,
                    lostSeconds = state.LostSeconds,
                    epoch = state.Epoch,
                });
                return ExitCode.Done;
            }

            Output.PrintText(Invariant($"search {record.Id} after event {count} of {record.Events.Count} ({last.Manifest}, " +
                $"{last.Created.ToLocalTime():yyyy-MM-dd HH:mm:ss}):"));
            Output.PrintText(Invariant($"  phase      {SearchRecord.NameOf(state.Phase)}" +
                $"{(SearchPhase.StageOf(state.Phase) is { } s ? Invariant($", stage {s.Index}") : string.Empty)}" +
                $"{(state.Phase is SearchPhase.Training t ? Invariant($", round {t.Round + 1} of {t.Stage.Rounds}") : string.Empty)}"));
            Output.PrintText($"  remaining  {state.Alive} blocks by layer");
            Output.PrintText(
                Invariant($"  work       {state.Cost.ForwardImages:N0} forward-pass images, {state.LostSeconds:0.0} s lost to faults"));
            Output.PrintText($"  weights    {state.Supernet?.Digest.Hex ?? "none yet"}");
            Output.PrintText($"  decisions  {state.DecisionHash.Hex}");
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Fork()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<int> from = new("--from") { Required = true, Description = "Number of the last event that the new search keeps." };
        Option<string[]> set = Shared.Set();
        Option<string?> name = Shared.Option<string?>("--id", "ID of the new search.");
        Command command = new("fork", "Creates a new search from the first events of another one, optionally with different " +
            "values from that point.") { id,
            from, set, name, output };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            int count = EventCounts.Within(record, parsed.GetValue(from), "--from");
            string fork = RunVerbs.CheckId(parsed.GetValue(name) ?? SearchRunner.NewId(record.State.Config!.Search.Name), folder);
            int copied = await SearchFork.BeginAsync(folder, record, count, fork, parsed.GetValue(set) ?? []);
            Output.PrintText(
                Invariant($"search {fork} created from the first {count} events of {record.Id}, {copied} blobs; resume it with: " +
                    $"{ThisProgram.Name} resume {fork}{folder.Option}"));
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Diff()
    {
        Argument<string> first = Shared.Argument<string>("ID1", "ID of a search.");
        Argument<string> second = Shared.Argument<string>("ID2", "ID of another search.");
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command =
            new("diff", "Finds the first decision in which two searches diverge and " +
                "shows the differences.") { first, second, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            Parting? parting = Parting.Of(SearchRecord.Load(folder, parsed.GetValue(first)!),
                SearchRecord.Load(folder, parsed.GetValue(second)!));
            if (parsed.GetValue(json))
                Output.PrintJson("diff", new { equal = parting is null, parting });
            else if (parting is null)
                Output.PrintText("the decisions of the two searches are the same");
            else
                Console.WriteLine(parting.ToText());
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Replay()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Option<string?> rule = Shared.Option<string?>("--rule", "layer, global or threshold (default: the search's).");
        Option<double?> ratio = Shared.Option<double?>("--ratio", "The rule's ratio (default: the search's).");
        Command command =
            new("replay", "Shows what another pruning rule would have removed, based on the recorded scores; trains nothing.") { id,
            rule, ratio, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            SearchRecord record = SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!);
            bool other = parsed.GetValue(rule) is not null || parsed.GetValue(ratio) is not null;
            List<string> sets = other ? ["prune.when=schedule"] : [];
            if (other && record.State.Config!.Evidence.Kind == EvidenceKind.Effect && parsed.GetValue(rule) is not null and not "layer")
                throw new UsageException($"--rule {parsed.GetValue(rule)}: the scores of search {record.Id} are effects (differences " +
                    $"from the mean of their layer), which only the rule 'layer' can compare; use --ratio instead");
            if (parsed.GetValue(rule) is { } r)
                sets.Add($"prune.rule={r}");
            if (parsed.GetValue(ratio) is { } v)
                sets.Add(Invariant($"prune.ratio={v}"));
            PruneOptions options = ConfigLoader.Over(record.State.Config!.Text, sets, null).Prune;
            Print(record, options, parsed.GetValue(json));
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Print(SearchRecord record, PruneOptions options, bool json)
    {
        foreach (ReplayedStage stage in ReplayedStage.Of(record, options))
        {
            if (json)
                Output.PrintJson("replay", stage);
            else
                Output.PrintText(stage.Text);
        }

        if (!json)
            Output.PrintText("each stage uses the scores recorded in it; the scores of later stages after different removals are unknown");
    }
}
