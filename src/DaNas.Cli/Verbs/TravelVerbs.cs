using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DaNas.Journal;
using DaNas.Actors.Journals;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Storage;

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
            SearchState state = SearchRecord.StateAt(record.Events, count);
            List<object> events = [.. record.Events.Take(count).Select(e => e.Event)];
            events[0] = ((SearchEvent.SearchStarted)events[0]) with { Id = new SearchId(fork) };
            events.Add(new SearchEvent.SearchForked(new SearchId(record.Id), count));
            if (parsed.GetValue(set) is { Length: > 0 } sets)
                events.Add(Changed(record, state, sets));
            int copied = CopyBlobs(folder, record.Id, fork, state);
            using IEventJournal journal = await folder.OpenJournalAsync();
            while (await journal.AcquireAsync(SearchRecord.PersistenceId(fork)) < state.Epoch)
            {
                // The new search's writers count on from the parent's.
            }

            await LocalActors.StoreAsync(journal, SearchRecord.PersistenceId(fork), events);
            Output.PrintText(Output.Text($"search {fork}: the first {count} events of {record.Id}, {copied} blobs; go on with: {Output.Program} resume {fork}{folder.Option}"));
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

    private static SearchEvent Changed(SearchRecord record, SearchState state, string[] sets)
    {
        string before = state.Started!.Configuration;
        SearchConfig config = ConfigLoader.Over(before, sets, null);
        ValueList<string> impossible = ConfigDrift.Unacceptable(ConfigDrift.Of(before, config.Text), state);
        return impossible.Count == 0
            ? ConfigDrift.Event(before, config.Text)
            : throw new UsageException($"search {record.Id} stands on other values, which cannot change in a fork:\n  {string.Join("\n  ", impossible)}\nstart a new search with them");
    }

    /// <summary>What the state stands on, and can go back to. What was collected meanwhile is made again, from the last round that is whole.</summary>
    private static int CopyBlobs(OutputFolder folder, string from, string to, SearchState state)
    {
        FileBlobStore source = folder.OpenBlobs(from);
        FileBlobStore target = folder.OpenBlobs(to);
        BlobRef[] there = [.. state.LiveBlobs.Concat(state.Weights).Concat(state.Marks.Select(m => m.Supernet).OfType<BlobRef>()).Distinct().Where(source.Contains)];
        foreach (BlobRef blob in there)
            target.Put(source.Get(blob));
        return there.Length;
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

/// <summary>Where two searches part: the decision's place among decisions, its events, and the members that differ.</summary>
internal sealed record Parting(int Decision, long? FirstSequence, long? SecondSequence, string? FirstEvent, string? SecondEvent, IReadOnlyList<string> Differences)
{
    public static Parting? Of(SearchRecord a, SearchRecord b)
    {
        StoredEvent[] first = Standing(a), second = Standing(b);
        for (int i = 0; i < Math.Max(first.Length, second.Length); i++)
        {
            StoredEvent? x = i < first.Length ? first[i] : null;
            StoredEvent? y = i < second.Length ? second[i] : null;
            if (x is null || y is null || x.Manifest != y.Manifest || Canonical(x) != Canonical(y))
                return new(i + 1, x?.Sequence, y?.Sequence, x?.Manifest, y?.Manifest, x is not null && y is not null && x.Manifest == y.Manifest ? [.. Members(x, y)] : []);
        }

        return null;
    }

    public string ToText()
    {
        string head = FirstEvent == SecondEvent
            ? Output.Text($"decision {Decision} ({FirstEvent}) differs (events {FirstSequence} and {SecondSequence}):")
            : Output.Text($"decision {Decision}: {FirstEvent ?? "nothing more"} (event {FirstSequence}) against {SecondEvent ?? "nothing more"} (event {SecondSequence})");
        return string.Join("\n  ", [head, .. Differences]);
    }

    /// <summary>The decisions that stand: after a lost blob a search goes back, and decides again what it had decided.</summary>
    private static StoredEvent[] Standing(SearchRecord record)
    {
        List<(StoredEvent Decision, Digest After)> standing = [];
        SearchState state = SearchState.Initial;
        foreach (StoredEvent e in record.Events)
        {
            state = SearchEvolver.Evolve(state, (SearchEvent)e.Event);
            if (e.Event is IDecision)
                standing.Add((e, state.DecisionHash));
            else if (standing.FindLastIndex(d => d.After == state.DecisionHash) is >= 0 and var last)
                standing.RemoveRange(last + 1, standing.Count - last - 1);
        }

        return [.. standing.Select(d => d.Decision)];
    }

    private static IEnumerable<string> Members(StoredEvent x, StoredEvent y)
    {
        if (x.Event is SearchEvent.SearchStarted s && y.Event is SearchEvent.SearchStarted t && s.Configuration != t.Configuration)
            return ConfigDrift.Of(s.Configuration, t.Configuration);
        using JsonDocument a = JsonDocument.Parse(InspectVerbs.FromOne(JsonNode.Parse(Canonical(x))!).ToJsonString());
        using JsonDocument b = JsonDocument.Parse(InspectVerbs.FromOne(JsonNode.Parse(Canonical(y))!).ToJsonString());
        return [.. Differ(a.RootElement, b.RootElement, string.Empty)];
    }

    private static IEnumerable<string> Differ(JsonElement a, JsonElement b, string path)
    {
        if (a.ValueKind == JsonValueKind.Object && b.ValueKind == JsonValueKind.Object)
            return a.EnumerateObject().SelectMany(p => b.TryGetProperty(p.Name, out JsonElement other) ? Differ(p.Value, other, path.Length == 0 ? p.Name : $"{path}.{p.Name}") : [$"{path}.{p.Name}: absent in the second"]);
        if (a.ValueKind == JsonValueKind.Array && b.ValueKind == JsonValueKind.Array && a.GetArrayLength() == b.GetArrayLength())
            return a.EnumerateArray().Zip(b.EnumerateArray(), (x, y) => (x, y)).SelectMany((z, i) => Differ(z.x, z.y, Output.Text($"{path}[{i}]")));
        return a.GetRawText() == b.GetRawText() ? [] : [$"{path}: {Short(a)} against {Short(b)}"];
    }

    private static string Short(JsonElement e) => e.GetRawText() is { Length: > 80 } text ? text[..77] + "..." : e.GetRawText();

    private static string Canonical(StoredEvent e) => JsonSerializer.Serialize(e.Event, e.Event.GetType(), DomainJson.Canonical);
}
