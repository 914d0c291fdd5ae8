using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DaNas.Actors.Journals;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
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
        Option<string?> at = new("--at") { Description = "After this many events, or at a time such as 02:13 (of the day of the last event) or 2026-03-01T02:13 (default: after all)." };
        Command command = new("state", "Shows a search as it was after any of its events.") { id, at, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            SearchRecord record = SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!);
            int count = At(record, parsed.GetValue(at));
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

            Output.PrintText(Output.Text($"search {record.Id} after event {count} of {record.Events.Count} ({last.Manifest}, {last.Created.ToLocalTime():yyyy-MM-dd HH:mm:ss}):"));
            Output.PrintText(Output.Text($"  phase      {SearchRecord.NameOf(state.Phase)}{(SearchPhase.StageOf(state.Phase) is { } s ? Output.Text($", stage {s.Index}") : string.Empty)}{(state.Phase is SearchPhase.Training t ? Output.Text($", round {t.Round + 1} of {t.Stage.Rounds}") : string.Empty)}"));
            Output.PrintText($"  alive      {state.Alive} blocks by layer");
            Output.PrintText(Output.Text($"  work       {state.Cost.ForwardImages:N0} images forward, {state.LostSeconds:0.0} s lost to faults"));
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
        Option<int> from = new("--from") { Required = true, Description = "The last event that the new search keeps." };
        Option<string[]> set = Shared.Set();
        Option<string?> name = new("--id") { Description = "The new search's id." };
        Command command = new("fork", "Begins a new search as the first events of another one, perhaps with other values from there.") { id, from, set, name, output };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            int count = Within(record, parsed.GetValue(from), "--from");
            string fork = RunVerbs.CheckId(parsed.GetValue(name) ?? SearchRunner.NewId(record.State.Config!.Search.Name), folder);
            int copied = await SearchFork.BeginAsync(folder, record, count, fork, parsed.GetValue(set) ?? []);
            Output.PrintText(Output.Text($"search {fork}: the first {count} events of {record.Id}, {copied} blobs; go on with: {ThisProgram.Name} resume {fork}{folder.Option}"));
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Diff()
    {
        Argument<string> first = new("ID1") { Description = "A search." };
        Argument<string> second = new("ID2") { Description = "Another search." };
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("diff", "Finds the first decision where two searches part, and what differs in it.") { first, second, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            Parting? parting = Parting.Of(SearchRecord.Load(folder, parsed.GetValue(first)!), SearchRecord.Load(folder, parsed.GetValue(second)!));
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
        Option<string?> rule = new("--rule") { Description = "layer, global or threshold (default: the search's)." };
        Option<double?> ratio = new("--ratio") { Description = "The rule's ratio (default: the search's)." };
        Command command = new("replay", "What another pruning rule would have removed, from the recorded scores; no training.") { id, rule, ratio, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            SearchRecord record = SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!);
            bool other = parsed.GetValue(rule) is not null || parsed.GetValue(ratio) is not null;
            List<string> sets = other ? ["prune.when=schedule"] : [];
            if (other && record.State.Config!.Evidence.Kind == EvidenceKind.Effect && parsed.GetValue(rule) is not null and not "layer")
                throw new UsageException($"--rule {parsed.GetValue(rule)}: the scores of search {record.Id} are effects, differences to their layer's mean, which only the rule layer can compare; give --ratio");
            if (parsed.GetValue(rule) is { } r)
                sets.Add($"prune.rule={r}");
            if (parsed.GetValue(ratio) is { } v)
                sets.Add(Output.Text($"prune.ratio={v}"));
            PruneOptions options = ConfigLoader.Over(record.State.Config!.Text, sets, null).Prune;
            Print(record, options, parsed.GetValue(json));
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Print(SearchRecord record, PruneOptions options, bool json)
    {
        foreach (SearchEvent.BlocksPruned was in record.Events.Select(e => e.Event).OfType<SearchEvent.BlocksPruned>())
        {
            AliveBlocks alive = record.Events.Select(e => e.Event).OfType<SearchEvent.StageOpened>().Last(e => e.Plan.Index == was.Stage).Alive;
            ScoreTable scores = ScoreTable.Empty.Merge(record.Events.Select(e => e.Event).OfType<SearchEvent.BlockScored>().Where(e => e.Stage == was.Stage).Select(e => e.Score), alive);
            string[] would = [.. (options.When == PruneWhen.Sure ? Again(record, was) : PrunePolicy.Decide(scores, alive, options)).Select(Name)];
            string[] did = [.. was.Removed.Select(Name)];
            if (json)
                Output.PrintJson("replay", new { stage = was.Stage, rule = ConfigSection.Kebab(options.Rule.ToString()), ratio = options.Ratio, removed = would, onlyThen = did.Except(would), onlyNow = would.Except(did) });
            else
                Output.PrintText(Output.Text($"stage {was.Stage}: {ConfigSection.Kebab(options.Rule.ToString())} {options.Ratio} removes {would.Length} of {alive.Count} ({was.Rule} removed {did.Length}); kept instead: {Or(did.Except(would))}; removed instead: {Or(would.Except(did))}"));
        }

        if (!json)
            Output.PrintText("each stage on the scores that were recorded in it: what a later stage would have seen after other removals is not known");

        static string Name(Removal r) => Output.Text($"L{r.Layer + 1:00}/{r.Block}");
        static string Or(IEnumerable<string> names) => names.Any() ? string.Join(" ", names) : "none";
    }

    /// <summary>A pruning decided again on what was known before it.</summary>
    private static ValueList<Removal> Again(SearchRecord record, SearchEvent.BlocksPruned was)
    {
        SearchState before = record.Events.Select(e => (SearchEvent)e.Event).TakeWhile(e => !ReferenceEquals(e, was)).Aggregate(SearchState.Initial, SearchEvolver.Evolve);
        return PrunePolicy.Decide(before, (SearchPhase.Scoring)before.Phase);
    }

    /// <summary>How many events were stored by a moment, or by a number of them.</summary>
    private static int At(SearchRecord record, string? at)
    {
        if (at is null)
            return record.Events.Count;
        if (int.TryParse(at, System.Globalization.CultureInfo.InvariantCulture, out int count))
            return Within(record, count, "--at");
        DateTimeOffset last = record.Events[^1].Created.ToLocalTime(), first = record.Events[0].Created.ToLocalTime();
        DateTimeOffset time = TimeOnly.TryParse(at, System.Globalization.CultureInfo.InvariantCulture, out TimeOnly clock) ? new DateTimeOffset(last.Date + clock.ToTimeSpan(), last.Offset)
            : DateTimeOffset.TryParse(at, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeLocal, out DateTimeOffset whole) ? whole
            : throw new UsageException($"--at {at}: write a number of events, or a time such as 02:13 or 2026-03-01T02:13");
        int stored = record.Events.Count(e => e.Created <= time);
        return stored > 0 ? stored : throw new UsageException(Output.Text($"--at {at}: the search's first event is of {first:yyyy-MM-dd HH:mm:ss}"));
    }

    private static int Within(SearchRecord record, int count, string option) => count >= 1 && count <= record.Events.Count
        ? count
        : throw new UsageException(Output.Text($"{option} {count}: search {record.Id} has events 1 to {record.Events.Count}"));
}
