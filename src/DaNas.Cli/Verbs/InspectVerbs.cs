using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DaNas.Actors.Journals;
using DaNas.Cli.Presentation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>Looking at searches: ls, describe, events, logs, watch.</summary>
internal static class InspectVerbs
{
    public static Command Ls()
    {
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("ls", "Lists the searches in a folder.") { output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            IReadOnlyList<string> ids = SearchRecord.Ids(folder);
            SearchReport[] reports = [.. ids.Select(id => TryReport(folder, id)).OfType<SearchReport>()];
            string[] lost = folder.IsAlone ? [.. folder.WithHead().Except(ids)] : []; // Heads of a file stand there too.
            foreach (string id in lost)
                Output.PrintError($"{id}: {folder.Lost}");
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSchemas.Text("search", reports, SearchReport.Json));
            else if (reports.Length + lost.Length == 0)
                Output.PrintText($"no searches in {folder.Root}; start one with '{ThisProgram.Name} run quickstart{folder.Option}'");
            else if (reports.Length > 0)
                Output.PrintTable(
                    ["search", "status", "progress", "test accuracy", "controls (mean)", "events", "architecture"],
                    reports.Select(r => Row(r, folder.IsAlone)));
            return ExitCode.Done;
        }));
        return command;
    }

    /// <summary>A search's report; one that cannot be read is named on standard error and left out.</summary>
    private static SearchReport? TryReport(OutputFolder folder, string id)
    {
        try
        {
            return SearchReport.Of(SearchRecord.Load(folder, id), folder);
        }
        catch (Actors.Journals.JournalException e)
        {
            Output.PrintError($"{id}: {e.Message}");
            return null;
        }
    }

    private static IReadOnlyList<string> Row(SearchReport r, bool alone)
    {
        string split = r.MeasuredOn == "test" ? string.Empty : $" ({r.MeasuredOn})";
        return [
            r.SearchId,
            r.Running ? "running" : r.Status == "unfinished" && alone ? "interrupted" : r.Status,
            r.Progress is { } p ? Invariant($"{100 * p:0} %") : "-",
            r.TestAccuracy is null ? "-"
                : Invariant($"{(r.RandomTestAccuracy is null ? r.TestAccuracy : r.ComparedTestAccuracy):0.0000}{split}"),
            r.RandomTestAccuracy is null ? "-" : Invariant($"{r.RandomTestAccuracy:0.0000}"),
            Invariant($"{r.Events}"),
            r.Architecture ?? "-"];
    }

    public static Command Describe()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command = new("describe", "Shows one search: phase, stages, funnel, result.") { id, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(SearchReport.Of(record, folder).ToJson());
                return ExitCode.Done;
            }

            SearchState s = record.State;
            string at = s.IsOver ? string.Empty : $" ({SearchSentences.Where(s)})";
            Output.PrintText($"search {record.Id}: {SearchReport.StatusOf(record, folder)}{at}, {record.Events.Count} events, " +
                $"epoch {s.Epoch}");
            Output.PrintText($"configuration {s.Config!.Hash.Short}, data {s.Started!.Data.Name} ({s.Started.Data.Fingerprint.Short}), " +
                $"{s.Started.NumericsProfile}");
            Output.PrintText($"remaining blocks by layer: {s.Alive}");
            if (s.Quarantined.Count > 0)
                Output.PrintText($"quarantined: {string.Join(", ", s.Quarantined.Select(b => Invariant($"L{b.Layer + 1:00}/{b.Block}")))}");
            if (s.Nondeterministic.Count > 0)
                Output.PrintText($"results that differed between attempts: {string.Join(", ", s.Nondeterministic)}");
            if (s.RateScale < 1)
                Output.PrintText(Invariant($"rolled back; learning rate multiplied by {s.RateScale:0.####}"));
            Presenter.Table(record, folder);
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Events()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Option<string?> type = Shared.Option<string?>("--type", "Only events of this type, for example blocks-pruned.");
        Command command = new("events", "Prints a search's journal, event by event.") { id, output, json, type };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            SearchRecord record = SearchRecord.Load(Shared.Folder(parsed, output), parsed.GetValue(id)!);
            Actors.Journals.StoredEvent[] events = [.. record.Events
                .Where(e => parsed.GetValue(type) is not { } t || e.Manifest.StartsWith(t, StringComparison.Ordinal))];
            if (events.Length == 0)
                throw new UsageException($"--type {parsed.GetValue(type)}: search {record.Id} has no events of this type; it has " +
                    $"{string.Join(", ", record.Events.Select(e => e.Manifest).Distinct().Order(StringComparer.Ordinal))}");
            foreach (Actors.Journals.StoredEvent e in events)
            {
                JsonNode node = EventJson.FromOne(JsonSerializer.SerializeToNode(e.Event, e.Event.GetType(), DomainJson.Stored)!);
                if (parsed.GetValue(json))
                {
                    Output.PrintJson("event", new { e.Sequence, e.Created, e.Manifest, @event = node.AsObject() });
                    continue;
                }

                string head = Invariant($"{e.Sequence,6} {e.Created:HH:mm:ss.fff} {e.Manifest,-26} ");
                Console.WriteLine(head + Output.Cut(node.ToJsonString(DomainJson.Stored), head.Length));
            }

            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Logs()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Option<bool> follow = new("--follow", "-f") { Description = "Keeps running and prints new lines as they are written." };
        Option<string?> actor = Shared.Option<string?>("--actor", "Only lines from actors whose path contains this text.");
        Option<bool> warnings = Shared.Option<bool>("--warnings", "Only warnings, which may need attention.");
        Command command = new("logs", "Prints the structured log of a search.") { id, output, json, follow, actor, warnings };
        command.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            string search = SearchRecord.Load(folder, parsed.GetValue(id)!).Id;
            string file = Path.Combine(folder.SearchFolder(search), "log.jsonl");
            if (!File.Exists(file))
                throw new UsageException($"{file} does not exist; run '{ThisProgram.Name} events {search}{folder.Option}' to " +
                    $"print the journal instead");
            int cut = 0;
            await foreach (string text in StateLog.ReadAsync(file, parsed.GetValue(follow), stop))
            {
                if (LogLine.Parse(text) is not { } line)
                    cut++;
                else if ((parsed.GetValue(actor) is not { } a || line.Actor.Contains(a, StringComparison.Ordinal))
                    && (!parsed.GetValue(warnings) || line.Warning))
                    Console.WriteLine(parsed.GetValue(json) ? text : line.ToText());
                if (cut > 0 && parsed.GetValue(follow))
                    cut = LeftOut(file, search, folder, cut);
            }

            if (cut > 0)
                LeftOut(file, search, folder, cut);
            return ExitCode.Done;
        }));
        return command;
    }

    private static int LeftOut(string file, string search, OutputFolder folder, int cut)
    {
        Output.PrintError(Invariant($"{file}: {cut} incomplete lines skipped (a full disk truncates lines); run '{ThisProgram.Name} " +
            $"events {search}{folder.Option}' to print the journal instead"));
        return 0;
    }

    public static Command Watch()
    {
        Argument<string> id = Shared.Id();
        Option<string?> output = Shared.Out();
        Command command =
            new("watch", "Follows a running search from another terminal; Ctrl-C stops watching, not the search.") { id, output };
        command.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            Presenter presenter = new(!Console.IsOutputRedirected);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            if (!record.State.IsOver && folder.IsAlone && !OwnerLock.IsHeld(folder, record.Id))
                presenter.Warn($"search {record.Id} is not currently running; resume it with '{ThisProgram.Name} resume " +
                    $"{record.Id}{folder.Option}'");
            presenter.Begin(record.State.Config!, record.State.Started!.Data, record.State);
            int shown = 0;
            while (!stop.IsCancellationRequested)
            {
                record = SearchRecord.Load(folder, record.Id);
                SearchState state = SearchState.Initial;
                for (int i = 0; i < record.Events.Count; i++)
                {
                    state = SearchEvolver.Evolve(state, (SearchEvent)record.Events[i].Event);
                    if (i >= shown)
                        presenter.Stored((SearchEvent)record.Events[i].Event, state, record.Events[i].Created, isNow: shown > 0);
                }

                shown = record.Events.Count;
                if (record.State.IsOver)
                    break;
                try
                {
                    await Task.Delay(1000, stop);
                }
                catch (OperationCanceledException)
                {
                    break;
                }
            }

            presenter.EndProgress();
            if (record.State.IsOver)
                Presenter.Table(record, folder);
            return ExitCode.Done;
        }));
        return command;
    }
}
