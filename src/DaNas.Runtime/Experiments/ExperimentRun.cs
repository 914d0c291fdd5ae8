using System.Diagnostics;
using System.Text;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Evidence;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;
using DaNas.Torch.Data;
using static System.FormattableString;

namespace DaNas.Runtime.Experiments;

/// <summary>
/// Runs the cells of a plan in processes of their own, as many at once as the cores allow. A cell is done when its result stands in the folder of
/// results; one that had begun goes on from its journal. So the whole can be killed at any moment and started again.
/// </summary>
internal sealed class ExperimentRun(ExperimentPlan plan, OutputFolder folder, string results, string? data, ISearchScreen screen)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> said = new(StringComparer.Ordinal);

    /// <summary>Results in the folder, of this plan's settings; those of others are named and left out. Throws where results do not belong together.</summary>
    public IReadOnlyList<CellResult> Done()
    {
        List<CellResult> done = [];
        foreach (ExperimentCell planned in plan.Cells)
        {
            if (Known(planned) is not { } cell || Result(cell) is not { } result)
                continue;
            if (result.Settings == cell.Key.Settings)
                done.Add(result);
            else
                screen.Warn($"{FileOf(cell)} was made with other settings than {plan.Name} has now and is left out; without --tables the cell is run again");
        }

        foreach (IGrouping<long, CellResult> seed in done.GroupBy(c => c.Seed))
        {
            if (seed.FirstOrDefault(c => c.DataFingerprint != seed.First().DataFingerprint) is { } other)
                throw new UsageException(Invariant($"cells {seed.First().Arm} and {other.Arm} of seed {seed.Key} stand on different data ({seed.First().DataFingerprint[..12]}, {other.DataFingerprint[..12]}): delete the results of one of them in {results}"));
        }

        if (done.Select(c => c.Numerics).Distinct().Count() > 1)
            screen.Warn($"the cells were run on {string.Join(" and on ", done.Select(c => c.Numerics).Distinct())}: costs in seconds are not comparable");
        return done;
    }

    /// <summary>Runs what is missing; false where a cell failed.</summary>
    public async Task<bool> GoAsync(int parallel, CancellationToken interrupt)
    {
        Directory.CreateDirectory(results);
        Stopwatch clock = Stopwatch.StartNew();
        int ended = 0;
        int failed = 0;
        // First what stands by itself, then what takes its cost from another arm.
        foreach (ExperimentCell[] part in plan.Cells.GroupBy(c => c.Arm.CostOf is null).Select(g => g.ToArray()))
        {
            ExperimentCell[] known = [.. part.Select(Known).OfType<ExperimentCell>()];
            foreach (ExperimentCell without in part.Where(c => known.All(k => k.Key.Name != c.Key.Name)))
                screen.Warn($"cell {without.Key.Name} takes its cost from {without.Arm.CostOf}, which has no result of this seed");
            failed += part.Length - known.Length;
            ExperimentCell[] waiting = [.. known.Where(c => Result(c)?.Settings != c.Key.Settings)];
            foreach (ExperimentCell stale in waiting.Where(c => File.Exists(FileOf(c))))
                screen.Warn($"{FileOf(stale)} was made with other settings than {plan.Name} has now; the cell is run again");
            int all = waiting.Length + plan.Cells.Count(c => part[0].Arm.CostOf is null && c.Arm.CostOf is not null) + ended;
            try
            {
                await Parallel.ForEachAsync(waiting, new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = interrupt }, async (cell, stop) =>
                {
                    bool well = await RunAsync(cell, stop);
                    if (!well)
                        Interlocked.Increment(ref failed);
                    int done = Interlocked.Increment(ref ended);
                    screen.Say(Invariant($"{DateTimeOffset.UtcNow.ToLocalTime():HH:mm:ss} {cell.Key.Name}: {(well ? Said(cell) : "failed")}; {all - done} of {all} left, about {Durations.Text(clock.Elapsed.TotalSeconds / done * (all - done))}"));
                });
            }
            catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
            {
                return false;
            }
        }

        return failed == 0;
    }

    /// <summary>The cell as it runs; null: it takes its cost from a cell that has no result yet.</summary>
    private ExperimentCell? Known(ExperimentCell cell)
    {
        if (cell.Arm.CostOf is not { } arm)
            return cell;
        ExperimentCell reference = plan.Cells.First(c => c.Key.Arm == arm && c.Key.Seed == cell.Key.Seed);
        if (Result(reference) is not { } result || result.Settings != reference.Key.Settings)
            return null;
        if (Result(cell)?.EqualCost is { } known && known.Settings == result.Settings)
            return plan.Beside(cell, known, data); // Its number is known: the data need not be there.
        CostOrigin origin = new(arm, result.Settings, plan.Candidates(cell, result));
        if (origin.Candidates is 2 or EqualCost.Most)
            screen.Warn(Invariant($"cell {cell.Key.Name}: the cost of {arm} is {(origin.Candidates == 2 ? "hardly enough for" : "more than enough for")} {origin.Candidates} candidates, {(origin.Candidates == 2 ? "the fewest" : "the most")} that random search can hold finals among; the costs are not equal"));
        return plan.Beside(cell, origin, data);
    }

    private async Task<bool> RunAsync(ExperimentCell cell, CancellationToken stop)
    {
        string id = IdOf(cell);
        if (OwnerLock.IsHeld(folder, id))
            screen.Say($"{id} is still being run by a process that an earlier experiment left; waiting for it");
        while (OwnerLock.IsHeld(folder, id))
            await Task.Delay(TimeSpan.FromSeconds(2), stop);
        SearchRecord? known = SearchRecord.Ids(folder).Contains(id) ? SearchRecord.Load(folder, id) : null;
        if (known is not null && ConfigDrift.Identity(known.State.Config!.Text) != ConfigDrift.Identity(cell.Config.Text))
        {
            screen.Warn($"search {id} in {folder.Root} was begun with other defaults than this version has; name another folder with --out");
            return false;
        }

        int code = ExitCode.Done;
        if (known is null || !IsOver(known))
        {
            string[] begin = ["run", plan.Search, "--id", id, .. cell.Sets.SelectMany(s => (string[])["--set", s]), .. data is null ? (string[])[] : ["--data", data]];
            using Process process = ThisProgram.Launch([.. known is null ? begin : ["resume", id], "--out", folder.Root]);
            process.ErrorDataReceived += (_, line) =>
            {
                if (!string.IsNullOrWhiteSpace(line.Data))
                    said[id] = line.Data;
            };
            try
            {
                if (plan.Until == ExperimentEnd.FirstScores)
                    await EndAtFirstScoresAsync(id, process, stop);
                await process.WaitForExitAsync(stop);
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(true);
            }

            code = process.ExitCode;
        }

        return Close(cell, code);
    }

    /// <summary>The journal has all scores of a stage once the next stage is open, or the architectures are ranked; what the search would go on to do is of no use here.</summary>
    private async Task EndAtFirstScoresAsync(string id, Process process, CancellationToken stop)
    {
        while (!process.HasExited)
        {
            await Task.Delay(TimeSpan.FromSeconds(3), stop); // Each look replays the journal.
            if (SearchRecord.Ids(folder).Contains(id) && IsOver(SearchRecord.Load(folder, id)))
                process.Kill(true);
        }
    }

    private bool IsOver(SearchRecord record) => record.State.Phase is SearchPhase.Completed || (plan.Until == ExperimentEnd.FirstScores && Wanted(record).Length < record.Events.Count);

    /// <summary>What the result is read from: how far a search got before it was ended is no part of it.</summary>
    private SearchEvent[] Wanted(SearchRecord record)
    {
        SearchEvent[] all = [.. record.Events.Select(e => (SearchEvent)e.Event)];
        int scored = Array.FindIndex(all, e => e is SearchEvent.BlockScored);
        int stage = scored < 0 ? 0 : ((SearchEvent.BlockScored)all[scored]).Stage;
        int next = plan.Until == ExperimentEnd.Search || scored < 0 ? -1 : Array.FindIndex(all, scored, e => e is SearchEvent.ArchitecturesRanked || (e is SearchEvent.StageOpened o && o.Plan.Index > stage));
        return next < 0 ? all : all[..next];
    }

    private bool Close(ExperimentCell cell, int code)
    {
        string id = IdOf(cell);
        SearchRecord? record = SearchRecord.Ids(folder).Contains(id) ? SearchRecord.Load(folder, id) : null;
        if (record is null || !IsOver(record))
        {
            string why = (record?.State.Phase as SearchPhase.Failed)?.Reason ?? said.GetValueOrDefault(id, "it said nothing");
            screen.Warn(Invariant($"cell {cell.Key.Name} ended with exit code {code}: {why}; by itself: danas run {plan.Search} {string.Join(' ', cell.Sets.Select(s => $"--set '{s}'"))}"));
            return false;
        }

        CellResult result = CellResult.Of(cell.Key, Wanted(record), Knobs(cell.Config), plan.Until == ExperimentEnd.FirstScores) with { EqualCost = cell.EqualCost };
        string file = FileOf(cell);
        File.WriteAllText(file + ".part", result.ToJson() + "\n", new UTF8Encoding(false));
        File.Move(file + ".part", file, true);
        return true;
    }

    /// <summary>Other settings are another search.</summary>
    private static string IdOf(ExperimentCell cell) => $"{cell.Key.Name}-{cell.Key.Settings[..6]}";

    private CellResult? Result(ExperimentCell cell) => File.Exists(FileOf(cell)) ? CellResult.FromJson(File.ReadAllText(FileOf(cell)), FileOf(cell)) : null;

    private string Said(ExperimentCell cell) => Result(cell) is { } r
        ? r.Models.Count == 0 ? Invariant($"scored after {r.ImagesToFirstScores:N0} images") : Invariant($"test accuracy {r.Winner.TestAccuracy:0.0000}{(r.Controls.Any() ? Invariant($" ({(r.ComparedAccuracy == r.Winner.TestAccuracy ? string.Empty : Invariant($"{r.ComparedAccuracy:0.0000} beside "))}random {r.Controls.Average(m => m.TestAccuracy):0.0000})") : string.Empty)}, {r.Search.ForwardImages:N0} images")
        : "no result";

    private string FileOf(ExperimentCell cell) => Path.Combine(results, $"{cell.Key.Name}.json");

    private static ValueList<double> Knobs(SearchConfig config) => config.Data.Kind == DataKind.Drawn
        ? Enumerable.Range(0, config.Data.Drawn.Classes).Select(c => Math.Round(DrawnSource.Knob(config.Data.Drawn, c), 4)).ToValueList()
        : [];
}
