using System.Globalization;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Reports;
using DaNas.Runtime.Searches;
using Spectre.Console;

namespace DaNas.Cli.Presentation;

/// <summary>What a person sees of a running search: a line a milestone, and on a terminal one moving line with rate and time left.</summary>
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
        if (Milestone(e, state) is { } text)
            Say(Output.Wrapped($"{at.ToLocalTime():HH:mm:ss} {text}"));
        if (isNow)
            Progress(state);
    }

    public void EndProgress()
    {
        lock (gate)
            ClearStatus();
    }

    private static string? Milestone(SearchEvent e, SearchState state) => e switch
    {
        SearchEvent.SearchStarted s => Text($"search started: {s.Data.Name}, {s.Data.Classes.Count} classes, {s.Data.TrainImages:N0} training pictures"),
        SearchEvent.SearchResumed s when s.NumericsProfile.Length > 0 => Text($"search resumed (epoch {s.Epoch}); the interruption cost {s.Lost.Seconds:0.0} s (repeated work and the restart)"),
        SearchEvent.ProxyMeasured p => Text($"difficulty: proxy {p.ProxySeed + 1}, point {p.Point + 1}: mean held-out accuracy {p.Accuracy.Average():0.000}"),
        SearchEvent.DifficultyMeasured { Verdict: { IsOrder: false } v } => Text($"{v}; going on with random pictures of all classes"),
        SearchEvent.DifficultyMeasured { Verdict: { } v } d => Text($"classes from easy to hard: {string.Join(", ", d.EasyToHard.Select(c => state.Started!.Data.Classes[c]))} ({v})"),
        SearchEvent.DifficultyMeasured d when d.Difficulty.Count > 0 => Text($"classes from easy to hard: {string.Join(", ", d.EasyToHard.Select(c => state.Started!.Data.Classes[c]))}"),
        SearchEvent.StageOpened s => Text($"{Name(s.Plan)}: {s.Plan.Classes.Count} classes, {s.Alive.Count} blocks alive, {s.Plan.Rounds} rounds"),
        SearchEvent.StageExtended s => Text($"{Name(s.Plan)}: {s.Sure} of the {s.Asked} blocks to prune are sure; training on to {s.Plan.Rounds} rounds, at most {state.Config!.Prune.TrainOn} times the scheduled ones"),
        SearchEvent.BlocksPruned p => Text($"{p.Removed.Count} blocks pruned (rule {p.Rule}), {p.Alive.Count} left, by layer {p.Alive}"),
        SearchEvent.ArchitectureSelected a => Text($"winner {a.Winner.Text} ({a.Cost.Macs:N0} multiply-adds); retraining it beside {a.Controls.Count} random architectures of about its cost, the controls"),
        SearchEvent.FinalsOpened f => Text($"finals, rung {f.Rung + 1}: {f.Finalists.Count} architectures{(f.Rung == 0 && state.Phase is SearchPhase.Finals { Ranked.Count: var all } && all > f.Finalists.Count ? Text($" of {all}, the best by supernet accuracy,") : string.Empty)} trained by themselves, {Finals.Steps(state.Config!, state.Started!.Data, f.Rung)} steps each"),
        SearchEvent.ModelRetrained m => Text($"{m.Run} retrained: {state.Config!.Retrain.MeasuredName} accuracy {m.TestAccuracy:0.0000}"),
        SearchEvent.AttemptFailed a when !Domain.Work.OutstandingWork.IsOutstanding(state, a.Unit) => Text($"attempt {a.Attempt} of {a.Unit}, which is done already, came to nothing ({a.Cause})"),
        SearchEvent.AttemptFailed a => Text($"attempt {a.Attempt} of {a.Unit} failed ({a.Cause}){(a.Counts && a.Attempt >= state.Config!.Trainers.Attempts ? string.Empty : "; it runs again")}"),
        SearchEvent.SearchFailed f => Text($"search stopped: {f.Reason}; remedy: {f.Remedy}"),
        _ => null,
    };

    private static string Name(Domain.Stages.StagePlan plan) => plan.IsWarmup ? "warm-up" : Text($"stage {plan.Index}");

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
            : left <= 0 ? Text($", {images:N0} images/s, all that was estimated is done")
            : Text($", {images:N0} images/s, about {Durations.Text(left / rate)} left");
        string line = Text($"{estimate.ShareDone(state.Cost):P0} done{pace} ({Where(state)})");
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

    /// <summary>What a search is at, in words.</summary>
    public static string Where(SearchState state) => state.Phase switch
    {
        SearchPhase.MeasuringDifficulty => "measuring class difficulty",
        SearchPhase.Training p => Text($"{Name(p.Stage)}, round {p.Round + 1} of {p.Stage.Rounds}"),
        SearchPhase.Retraining => "retraining",
        SearchPhase.Deriving => "comparing candidates",
        SearchPhase.Finals p => Text($"finals, rung {p.Rung + 1} of at most {state.Config!.Finals.Rungs}"),
        _ => "deciding",
    };

    /// <summary>The closing table: stages, funnel, cost, winner, controls, and where everything lies.</summary>
    public static void Table(SearchRecord record, OutputFolder folder)
    {
        SearchState state = record.State;
        Console.WriteLine();
        if (state.Stages.Count > 0)
        {
            Funnel(state);
            Output.PrintTable(
                ["stage", "classes", "blocks", "images forward", "backward", "loss", "accuracy"],
                state.Stages.Select(s => (IReadOnlyList<string>)[Name(s.Plan), N(s.Plan.Classes.Count), $"{N(s.Before.Count)} -> {N(s.After.Count)}", N(s.Cost.ForwardImages), N(s.Cost.BackwardImages), D(s.Loss), D(s.Accuracy)]));
        }

        if (state.Phase is SearchPhase.Completed done && state.Selected is { } selected)
        {
            Domain.SearchSpaces.CostTable costs = Domain.SearchSpaces.CostTable.Of(state.Space!);
            Output.PrintTable(
                ["retrained model", $"{state.Config!.Retrain.MeasuredName} accuracy", "multiply-adds", "parameters", "architecture"],
                done.Models.Select(m => (IReadOnlyList<string>)[m.Run, D(m.TestAccuracy), N(costs.Of(m.Architecture).Macs), N(costs.Of(m.Architecture).Parameters), m.Architecture.Text]));
            (ValueList<RetrainedModel> winner, ValueList<RetrainedModel> controls) = RetrainPlan.Comparison(done.Models);
            if (controls.Count > 0)
                Output.PrintText(Text($"winner {winner.Average(m => m.TestAccuracy):0.0000}, mean of {controls.Count} random architectures of about equal multiply-adds {controls.Average(m => m.TestAccuracy):0.0000}"));
            if (SearchVerdict.Of(state) is { } verdict)
                Output.PrintText(Text($"verdict: {verdict.Sentence}; difference {100 * verdict.Difference:+0.0;-0.0} points{(double.IsFinite(verdict.Low) ? Text($" [{100 * verdict.Low:0.0}, {100 * verdict.High:0.0}]") : string.Empty)}"));
            if (FinalistComparison.Of(state, record.Events.Select(e => e.Event).OfType<SearchEvent>()) is { } finalists)
                Output.PrintText($"finalists: {finalists}");
            if (PredictorChoice.Of(state, record.Events.Select(e => e.Event).OfType<SearchEvent>()) is { Count: > 0 } choices)
                Output.PrintText($"without a search would have been chosen by: {string.Join("; ", choices)}");
            if (state.Budget > 0)
                Output.PrintText(Text($"budget {state.Budget:N0} multiply-adds; winner uses {selected.Cost.Macs:N0}{(selected.Cost.Macs > state.Budget ? " (over it)" : string.Empty)}"));
            if (state.Config!.Cost is { TargetMilliseconds: > 0, Latency: { } table })
                Output.PrintText(Text($"bound {state.Config.Cost.TargetMilliseconds:0.###} ms by the table of {table.Device}; winner {table.Of(selected.Winner):0.###} ms{(table.Of(selected.Winner) > state.Config.Cost.TargetMilliseconds ? " (over it)" : string.Empty)}"));
        }

        Output.PrintText(Text($"cost: {state.Cost.ForwardImages:N0} images forward, {state.Cost.BackwardImages:N0} with a backward pass, {state.Cost.ForwardMacs:N0} multiply-adds forward"));
        Output.PrintText(Text($"time: {Durations.Text(record.ActiveSeconds)} at work, {state.LostSeconds:0.0} s lost to faults"));
        // Hashes and paths are copied: they are not broken over lines.
        Console.WriteLine(Text($"decision hash {state.DecisionHash.Hex}"));
        if (state.Phase is SearchPhase.Completed c)
            Console.WriteLine(Text($"weights hash  {c.WeightsHash.Hex}"));
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
            int before = (int)Math.Round(s.Before.Count * (double)width / most), after = (int)Math.Round(s.After.Count * (double)width / most);
            Console.WriteLine(Text($"  {Name(s.Plan),-8} {new string('\u2588', after)}{new string('\u2591', before - after)}{new string(' ', width - before)} {s.Before.Count,4} -> {s.After.Count} blocks, {s.Plan.Classes.Count} classes"));
        }

        if (state.Selected is { } selected)
            Console.WriteLine(Text($"  {"chosen",-8} {new string('\u2588', Math.Max(1, (int)Math.Round(selected.Winner.Blocks.Count * (double)width / most)))} {selected.Winner.Text}"));
    }

    private static string N(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string D(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

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
