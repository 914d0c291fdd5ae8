using System.Diagnostics;
using System.Text;
using DaNas.Actors.Journals;
using DaNas.Cli.Configuration;
using DaNas.Cli.Drills;
using DaNas.Cli.Running;
using DaNas.Cli.Verbs;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Evidence;
using DaNas.Torch.Data;

namespace DaNas.Cli.Experiments;

/// <summary>
/// Runs the cells of a plan in processes of their own, as many at once as the cores allow. A cell is done when its result stands in the folder of
/// results; one that had begun goes on from its journal. So the whole can be killed at any moment and started again.
/// </summary>
internal sealed class ExperimentRun(ExperimentPlan plan, OutputFolder folder, string results, Presenter presenter)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> said = new(StringComparer.Ordinal);

    /// <summary>Results in the folder, of this plan's settings; those of others are named and left out.</summary>
    public IReadOnlyList<CellResult> Done()
    {
        List<CellResult> done = [];
        foreach (ExperimentCell cell in plan.Cells)
        {
            string file = FileOf(cell);
            if (!File.Exists(file))
                continue;
            CellResult result = CellResult.FromJson(File.ReadAllText(file), file);
            if (result.Settings == cell.Key.Settings)
                done.Add(result);
            else
                presenter.Warn($"{file} was made with other settings than {plan.Name} has now and is not used; delete it to run the cell again");
        }

        return done;
    }

    /// <summary>Runs what is missing; false where it was interrupted or a cell failed.</summary>
    public async Task<bool> GoAsync(int parallel, string? data, CancellationToken interrupt)
    {
        Directory.CreateDirectory(results);
        Queue<ExperimentCell> waiting = new(plan.Cells.Where(c => !File.Exists(FileOf(c))));
        int total = waiting.Count, ended = 0;
        bool well = true;
        Stopwatch clock = Stopwatch.StartNew();
        Dictionary<Task<int>, (ExperimentCell Cell, Process Process)> running = [];
        try
        {
            while (running.Count > 0 || (waiting.Count > 0 && !interrupt.IsCancellationRequested))
            {
                while (running.Count < parallel && waiting.Count > 0 && !interrupt.IsCancellationRequested)
                {
                    ExperimentCell cell = waiting.Dequeue();
                    Process process = Begin(cell, data);
                    running.Add(EndAsync(process), (cell, process));
                }

                Task<int> first = await Task.WhenAny(running.Keys).WaitAsync(interrupt);
                ExperimentCell done = running[first].Cell;
                running.Remove(first);
                ended++;
                well &= Close(done, await first);
                double each = clock.Elapsed.TotalSeconds / ended;
                presenter.Say(Output.Text($"{DateTimeOffset.UtcNow.ToLocalTime():HH:mm:ss} {done.Key.Name}: {Said(done)}; {total - ended} of {total} left, about {Presenter.Duration(each * (total - ended))}"));
            }
        }
        catch (OperationCanceledException)
        {
            well = false;
        }
        finally
        {
            foreach ((_, Process process) in running.Values)
                process.Kill(true);
        }

        return well && !interrupt.IsCancellationRequested;
    }

    /// <summary>The exit code, and the process's handle given back.</summary>
    private static async Task<int> EndAsync(Process process)
    {
        using (process)
        {
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
    }

    private Process Begin(ExperimentCell cell, string? data)
    {
        bool known = SearchRecord.Ids(folder).Contains(cell.Key.Name);
        string[] begin = ["run", plan.Search, "--id", cell.Key.Name, .. cell.Sets.SelectMany(s => (string[])["--set", s]), .. data is null ? (string[])[] : ["--data", data]];
        string[] arguments = known ? ["resume", cell.Key.Name] : begin;
        Process process = DrillRun.Launch([.. arguments, "--out", folder.Root]);
        process.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data))
                said[cell.Key.Name] = line.Data;
        };
        return process;
    }

    private bool Close(ExperimentCell cell, int code)
    {
        string why = $"see {folder.SearchFolder(cell.Key.Name)}, or 'danas describe {cell.Key.Name}{folder.Option}'";
        if (!SearchRecord.Ids(folder).Contains(cell.Key.Name))
        {
            presenter.Warn(Output.Text($"cell {cell.Key.Name} did not begin (exit code {code}: {said.GetValueOrDefault(cell.Key.Name, "it said nothing")}); run it by itself: danas run {plan.Search} {string.Join(' ', cell.Sets.Select(s => $"--set '{s}'"))}"));
            return false;
        }

        SearchRecord record = SearchRecord.Load(folder, cell.Key.Name);
        if (record.State.Phase is not SearchPhase.Completed)
        {
            presenter.Warn(Output.Text($"cell {cell.Key.Name} ended with exit code {code}: {(record.State.Phase as SearchPhase.Failed)?.Reason ?? "it is not complete"}; {why}"));
            return false;
        }

        if (record.State.Config!.Hash != cell.Config.Hash)
        {
            presenter.Warn($"search {cell.Key.Name} in {folder.Root} has another configuration than the experiment has now; name another folder with --out");
            return false;
        }

        CellResult result = CellResult.Of(cell.Key, [.. record.Events.Select(e => (SearchEvent)e.Event)], Known(cell.Config));
        string file = FileOf(cell);
        File.WriteAllText(file + ".part", result.ToJson() + "\n", new UTF8Encoding(false));
        File.Move(file + ".part", file, true);
        return true;
    }

    private string Said(ExperimentCell cell) => File.Exists(FileOf(cell)) && CellResult.FromJson(File.ReadAllText(FileOf(cell)), FileOf(cell)) is { } r
        ? Output.Text($"test accuracy {r.Winner.TestAccuracy:0.0000}{(r.Controls.Any() ? Output.Text($" (random {r.Controls.Average(m => m.TestAccuracy):0.0000})") : string.Empty)}, {r.Search.ForwardImages:N0} images")
        : "no result";

    private string FileOf(ExperimentCell cell) => Path.Combine(results, $"{cell.Key.Name}.json");

    private static ValueList<double> Known(SearchConfig config) => config.Data.Kind == DataKind.Drawn
        ? Enumerable.Range(0, config.Data.Drawn.Classes).Select(c => Math.Round(DrawnSource.Knob(config.Data.Drawn, c), 4)).ToValueList()
        : [];
}
