using System.Globalization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Searches;
using DaNas.Domain.Work;
using DaNas.Reports;
using DaNas.Runtime.Searches;
using Spectre.Console;

namespace DaNas.Cli.Presentation;

/// <summary>
/// What a person sees of a running search: a line a milestone, and on a terminal one moving line with rate and time left.
/// </summary>
internal sealed class Presenter(bool interactive, bool quiet = false) : ISearchScreen
{
    private readonly Lock gate = new();
    private SearchEstimate? estimate;
    private DateTimeOffset started;
    private UnitCost costAtStart = UnitCost.Zero;
    private DateTimeOffset lastLine;
    private bool statusShown;

    public void Say(string text)
    {
        lock (gate)
        {
            ClearStatus();
            Write(quiet ? Console.Error : Console.Out, text + Environment.NewLine);
        }
    }

    public void Warn(string text)
    {
        lock (gate)
        {
            ClearStatus();
            Write(Console.Error, text + Environment.NewLine);
        }
    }

    public void Begin(SearchConfig config, Domain.Stages.DatasetSummary data, SearchState state)
    {
        estimate = config.Engine.Kind == EngineKind.Torch ? SearchEstimate.Of(config, data) : null; // Others answer at once.
        started = DateTimeOffset.UtcNow;
        costAtStart = state.Cost;
    }

    /// <inheritdoc/>
    public void Stored(SearchEvent e, SearchState state) => Stored(e, state, DateTimeOffset.UtcNow, true);

    /// <inheritdoc cref="Stored(SearchEvent, SearchState)"/>
    public void Stored(SearchEvent e, SearchState state, DateTimeOffset at, bool isNow)
    {
        if (SearchSentences.Milestone(e, state) is { } text)
            Say(Output.Wrapped($"{at.ToLocalTime():HH:mm:ss} {text}"));
        if (isNow)
            Progress(state);
    }

    public void EndProgress()
    {
        lock (gate)
            ClearStatus();
    }

    private void Progress(SearchState state)
    {
        if (estimate is null || state.IsOver)
            return;
        DateTimeOffset now = DateTimeOffset.UtcNow;
        if (now - lastLine < TimeSpan.FromSeconds(interactive ? 0.3 : 10))
            return;
        lastLine = now;
        double done = SearchEstimate.Weighted(state.Cost);
        double left = estimate.WeightedMacs - done;
        double seconds = (now - started).TotalSeconds;
        double rate = (done - SearchEstimate.Weighted(costAtStart)) / Math.Max(0.001, seconds);
        double images = (state.Cost.ForwardImages - costAtStart.ForwardImages) / Math.Max(0.001, seconds);
        // A rate of a few seconds, or none yet, tells nothing; and the estimate is one: stages that train on, and finals, may end late.
        string pace = rate <= 0 || seconds < 5 ? string.Empty
            : left <= 0 ? Invariant($", {images:N0} images/s, all estimated work is done")
            : Invariant($", {images:N0} images/s, about {Durations.Text(left / rate)} left");
        string line = Invariant($"{estimate.ShareDone(state.Cost):P0} done{pace} ({SearchSentences.Where(state)})");
        lock (gate)
        {
            if (!interactive)
            {
                Write(Console.Out, $"{now.ToLocalTime():HH:mm:ss} {line}{Environment.NewLine}");
                return;
            }

            ClearStatus();
            Write(Console.Out, line);
            statusShown = true;
        }
    }

    /// <summary>The closing table: stages, funnel, cost, winner, controls, and where everything lies.</summary>
    public static void Table(SearchRecord record, OutputFolder folder)
    {
        SearchState state = record.State;
        Console.WriteLine();
        if (state.Stages.Count > 0)
        {
            Funnel(state);
            Output.PrintTable(
                ["stage", "classes", "blocks", "images (forward)", "images (backward)", "loss", "accuracy"],
                state.Stages.Select(s => (IReadOnlyList<string>)[SearchSentences.Name(s.Plan), N(s.Plan.Classes.Count),
                    $"{N(s.Before.Count)} -> {N(s.After.Count)}", N(s.Cost.ForwardImages), N(s.Cost.BackwardImages),
                    D(s.Loss), D(s.Accuracy)]));
        }

        if (state.Phase is SearchPhase.Completed done && state.Selected is not null)
        {
            Domain.SearchSpaces.CostTable costs = Domain.SearchSpaces.CostTable.Of(state.Space!);
            Output.PrintTable(
                ["retrained model", $"{state.Config!.Retrain.MeasuredName} accuracy", "MACs", "parameters", "architecture"],
                done.Models.Select(m => (IReadOnlyList<string>)[m.Run, D(m.TestAccuracy), N(costs.Of(m.Architecture).Macs),
                    N(costs.Of(m.Architecture).Parameters), m.Architecture.Text]));
        }

        foreach (string line in SearchSentences.Closing(record))
            Output.PrintText(line);
        // Hashes and paths are copied: they are not broken over lines.
        Console.WriteLine(Invariant($"decision hash {state.DecisionHash.Hex}"));
        if (state.Phase is SearchPhase.Completed c)
            Console.WriteLine(Invariant($"weights hash  {c.WeightsHash.Hex}"));
        bool here = File.Exists(folder.JournalPath); // A search of a cluster has its journal and its log there.
        bool ended = state.Phase is SearchPhase.Completed;
        List<string> files = ended ? ["architecture.json"] : [];
        if (ended && state.Config!.Engine.Kind == EngineKind.Torch)
            files.Add("weights.safetensors");
        if (here)
            files.Add("log.jsonl");
        Console.WriteLine($"folder   {folder.SearchFolder(record.Id)}");
        if (files.Count > 0)
            Console.WriteLine($"         {string.Join(", ", files)}");
        if (here)
            Console.WriteLine($"journal  {folder.JournalName}");
        if (ended)
            Console.WriteLine($"report   {ResultFiles.ReportFile(record, folder)}");
    }

    /// <summary>The candidate blocks of each stage as bars: what it began with, and how much of that it left.</summary>
    private static void Funnel(SearchState state)
    {
        int width = Console.IsOutputRedirected ? 48 : Math.Clamp(AnsiConsole.Profile.Width - 46, 10, 48);
        int most = state.Stages.Select(s => s.Before.Count).DefaultIfEmpty(1).Max();
        foreach (StageRecord s in state.Stages.OrderBy(s => s.Plan.Index))
        {
            int before = (int)Math.Round(s.Before.Count * (double)width / most),
                after = (int)Math.Round(s.After.Count * (double)width / most);
            Console.WriteLine(
                Invariant($"  {SearchSentences.Name(s.Plan),-8} {new string('\u2588', after)}{new string('\u2591', before - after)}" +
                $"{new string(' ', width - before)} {s.Before.Count,4} -> {s.After.Count} blocks, {s.Plan.Classes.Count} classes"));
        }

        if (state.Selected is { } selected)
        {
            int left = Math.Max(1, (int)Math.Round(selected.Winner.Blocks.Count * (double)width / most));
            Console.WriteLine(Invariant($"  {"winner",-8} {new string('\u2588', left)} {selected.Winner.Text}"));
        }
    }

    private static string N(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string D(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    /// <summary>A terminal that is gone, or a full disk behind it, does not end a search: its results are in the journal.</summary>
    private static void Write(TextWriter to, string text)
    {
        try
        {
            to.Write(text);
        }
        catch (IOException)
        {
            // As above.
        }
    }

    private void ClearStatus()
    {
        if (!statusShown)
            return;
        Write(Console.Out, "\r\u001b[2K");
        statusShown = false;
    }
}
