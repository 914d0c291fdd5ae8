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

namespace DaNas.Runtime.Experiments;

/// <summary>
/// Runs the trials of a plan in processes of their own, as many at once as the cores allow. A trial is done when its result stands in the
/// folder of results; one that had begun goes on from its journal. So the whole can be killed at any moment and started again.
/// </summary>
internal sealed class ExperimentRun(ExperimentPlan plan, OutputFolder folder, string results, string? data, ISearchScreen screen)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> said = new(StringComparer.Ordinal);

    /// <summary>
    /// Results in the folder, of this plan's settings; those of others are named and left out. Throws where results do not belong together.
    /// </summary>
    public IReadOnlyList<TrialResult> Done()
    {
        List<TrialResult> done = [];
        foreach (ExperimentTrial planned in plan.Trials)
        {
            if (Known(planned) is not { } trial || Result(trial) is not { } result)
                continue;
            if (result.Settings == trial.Key.Settings)
                done.Add(result);
            else
                screen.Warn($"{FileOf(trial)} was created with settings that differ from the current ones of {plan.Name} and is ignored; " +
                    $"run without --tables to repeat the trial");
        }

        foreach (IGrouping<long, TrialResult> seed in done.GroupBy(c => c.Seed))
        {
            if (seed.FirstOrDefault(c => c.DataFingerprint != seed.First().DataFingerprint) is { } other)
                throw new UsageException(Invariant($"trials {seed.First().Arm} and {other.Arm} of seed {seed.Key} use different data " +
                    $"({seed.First().DataFingerprint[..12]}, {other.DataFingerprint[..12]}): delete the results of one " +
                    $"of them in {results}"));
        }

        if (done.Select(c => c.Numerics).Distinct().Count() > 1)
            screen.Warn($"the trials were run on {string.Join(" and on ", done.Select(c => c.Numerics).Distinct())}: costs in " +
                $"seconds are not comparable");
        return done;
    }

    /// <summary>Runs what is missing; false where a trial failed.</summary>
    public async Task<bool> GoAsync(int parallel, CancellationToken interrupt)
    {
        Directory.CreateDirectory(results);
        Stopwatch clock = Stopwatch.StartNew();
        int ended = 0;
        int failed = 0;
        // First what stands by itself, then what takes its cost from another arm.
        foreach (ExperimentTrial[] part in plan.Trials.GroupBy(c => c.Arm.CostOf is null).Select(g => g.ToArray()))
        {
            ExperimentTrial[] known = [.. part.Select(Known).OfType<ExperimentTrial>()];
            foreach (ExperimentTrial without in part.Where(c => known.All(k => k.Key.Name != c.Key.Name)))
                screen.Warn($"trial {without.Key.Name} takes its cost from {without.Arm.CostOf}, which has no result for this seed");
            failed += part.Length - known.Length;
            ExperimentTrial[] waiting = [.. known.Where(c => Result(c)?.Settings != c.Key.Settings)];
            foreach (ExperimentTrial stale in waiting.Where(c => File.Exists(FileOf(c))))
                screen.Warn($"{FileOf(stale)} was created with settings that differ from the current ones of {plan.Name}; " +
                    $"the trial is repeated");
            int all = waiting.Length + plan.Trials.Count(c => part[0].Arm.CostOf is null && c.Arm.CostOf is not null) + ended;
            try
            {
                await Parallel.ForEachAsync(waiting, new ParallelOptions
                {
                    MaxDegreeOfParallelism = parallel,
                    CancellationToken = interrupt
                }, async (trial, stop) =>
                {
                    bool well = await RunAsync(trial, stop);
                    if (!well)
                        Interlocked.Increment(ref failed);
                    int done = Interlocked.Increment(ref ended);
                    screen.Say(Invariant($"{DateTimeOffset.UtcNow.ToLocalTime():HH:mm:ss} {trial.Key.Name}: " +
                        $"{(well ? Said(trial) : "failed")}; {all - done} of {all} left, about " +
                        $"{Durations.Text(clock.Elapsed.TotalSeconds / done * (all - done))}"));
                });
            }
            catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
            {
                return false;
            }
        }

        return failed == 0;
    }

    /// <summary>The trial as it runs; null: it takes its cost from a trial that has no result yet.</summary>
    private ExperimentTrial? Known(ExperimentTrial trial)
    {
        if (trial.Arm.CostOf is not { } arm)
            return trial;
        ExperimentTrial reference = plan.Trials.First(c => c.Key.Arm == arm && c.Key.Seed == trial.Key.Seed);
        if (Result(reference) is not { } result || result.Settings != reference.Key.Settings)
            return null;
        if (Result(trial)?.EqualCost is { } known && known.Settings == result.Settings)
            return plan.Beside(trial, known, data); // Its number is known: the data need not be there.
        CostOrigin origin = new(arm, result.Settings, plan.Candidates(trial, result));
        if (origin.Candidates is 2 or EqualCost.Most)
            screen.Warn(Invariant($"trial {trial.Key.Name}: the cost of {arm} is " +
                $"{(origin.Candidates == 2 ? "hardly enough for" : "more than enough for")} {origin.Candidates} candidates, " +
                $"{(origin.Candidates == 2 ? "the fewest" : "the most")} that random search can use in its finals; the " +
                $"costs are not equal"));
        return plan.Beside(trial, origin, data);
    }

    private async Task<bool> RunAsync(ExperimentTrial trial, CancellationToken stop)
    {
        string id = IdOf(trial);
        if (OwnerLock.IsHeld(folder, id))
            screen.Say($"{id} is still running in a process left over from an earlier experiment; waiting for it");
        while (OwnerLock.IsHeld(folder, id))
            await Task.Delay(TimeSpan.FromSeconds(2), stop);
        SearchRecord? known = SearchRecord.Ids(folder).Contains(id) ? SearchRecord.Load(folder, id) : null;
        if (known is not null && ConfigDrift.Identity(known.State.Config!.Text) != ConfigDrift.Identity(trial.Config.Text))
        {
            screen.Warn($"search {id} in {folder.Root} was started with different defaults from those of this version; specify " +
                $"another folder with --out");
            return false;
        }

        int code = ExitCode.Done;
        if (known is null || !IsOver(known))
        {
            string[] begin = ["run", plan.Search, "--id", id, .. trial.Sets.SelectMany(s => (string[])["--set", s]), .. data is null
                ? (string[])[] : ["--data", data]];
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

        return Close(trial, code);
    }

    /// <summary>
    /// The journal has all scores of a stage once the next stage is open, or the architectures are ranked; what the search would go on to
    /// do is of no use here.
    /// </summary>
    private async Task EndAtFirstScoresAsync(string id, Process process, CancellationToken stop)
    {
        while (!process.HasExited)
        {
            await Task.Delay(TimeSpan.FromSeconds(3), stop); // Each look replays the journal.
            if (SearchRecord.Ids(folder).Contains(id) && IsOver(SearchRecord.Load(folder, id)))
                process.Kill(true);
        }
    }

    private bool IsOver(SearchRecord record) => record.State.Phase is SearchPhase.Completed
        || (plan.Until == ExperimentEnd.FirstScores && Wanted(record).Length < record.Events.Count);

    /// <summary>What the result is read from: how far a search got before it was ended is no part of it.</summary>
    private SearchEvent[] Wanted(SearchRecord record)
    {
        SearchEvent[] all = [.. record.Events.Select(e => (SearchEvent)e.Event)];
        int scored = Array.FindIndex(all, e => e is SearchEvent.BlockScored);
        int stage = scored < 0 ? 0 : ((SearchEvent.BlockScored)all[scored]).Stage;
        int next = plan.Until == ExperimentEnd.Search || scored < 0 ? -1 : Array.FindIndex(
            all, scored, e => e is SearchEvent.ArchitecturesRanked || (e is SearchEvent.StageOpened o && o.Plan.Index > stage));
        return next < 0 ? all : all[..next];
    }

    private bool Close(ExperimentTrial trial, int code)
    {
        string id = IdOf(trial);
        SearchRecord? record = SearchRecord.Ids(folder).Contains(id) ? SearchRecord.Load(folder, id) : null;
        if (record is null || !IsOver(record))
        {
            string why = (record?.State.Phase as SearchPhase.Failed)?.Reason ?? said.GetValueOrDefault(id, "no output");
            screen.Warn(
                Invariant($"trial {trial.Key.Name} ended with exit code {code}: {why}; to run it separately: danas run {plan.Search} " +
                    $"{string.Join(' ', trial.Sets.Select(s => $"--set '{s}'"))}"));
            return false;
        }

        TrialResult result = TrialResult.Of(trial.Key, Wanted(record), Knobs(trial.Config), plan.Until == ExperimentEnd.FirstScores)
            with
        { EqualCost = trial.EqualCost };
        string file = FileOf(trial);
        File.WriteAllText(file + ".part", result.ToJson() + "\n", new UTF8Encoding(false));
        File.Move(file + ".part", file, true);
        return true;
    }

    /// <summary>Other settings are another search.</summary>
    private static string IdOf(ExperimentTrial trial) => $"{trial.Key.Name}-{trial.Key.Settings[..6]}";

    private TrialResult? Result(ExperimentTrial trial) => File.Exists(FileOf(trial))
        ? TrialResult.FromJson(File.ReadAllText(FileOf(trial)), FileOf(trial)) : null;

    private string Said(ExperimentTrial trial) => Result(trial) is { } r
        ? r.Models.Count == 0 ? Invariant($"scored after {r.ImagesToFirstScores:N0} images") : Invariant(
            $"test accuracy {r.Winner.TestAccuracy:0.0000}{BesideControls(r)}, {r.Search.ForwardImages:N0} images")
        : "no result";

    private static string BesideControls(TrialResult r)
    {
        if (!r.Controls.Any())
            return string.Empty;
        string compared = r.ComparedAccuracy == r.Winner.TestAccuracy ? string.Empty : Invariant($"{r.ComparedAccuracy:0.0000} beside ");
        return Invariant($" ({compared}random {r.Controls.Average(m => m.TestAccuracy):0.0000})");
    }

    private string FileOf(ExperimentTrial trial) => Path.Combine(results, $"{trial.Key.Name}.json");

    private static ValueList<double> Knobs(SearchConfig config) => config.Data.Kind == DataKind.Drawn
        ? Enumerable.Range(0, config.Data.Drawn.Classes).Select(c => Math.Round(DrawnSource.Knob(config.Data.Drawn, c), 4)).ToValueList()
        : [];
}
