using System.Diagnostics;
using System.Globalization;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>One figure of a soak: its median in the second and in the last quarter of the time, and their ratio.</summary>
internal sealed record SoakFigure(string Name, double Early, double Late, bool Bounded)
{
    public double Ratio => Early == 0 ? (Late == 0 ? 1 : double.PositiveInfinity) : Late / Early;
}

/// <summary>
/// One long search in one set of processes: memory, threads, open files, native tensors and the journal's growth a unit must be flat. The
/// first quarter is left out, in which caches fill.
/// </summary>
internal sealed class Soak(DrillRun drill, Action<string> say)
{
    public IReadOnlyList<SoakFigure> Run(double minutes)
    {
        using Process process = drill.Begin("soak", null);
        Stopwatch clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalMinutes < minutes && !process.WaitForExit(TimeSpan.FromSeconds(60)))
            say(Invariant($"{clock.Elapsed.TotalMinutes:0.0} min, {drill.Load("soak")?.Events.Count} events"));
        if (process.HasExited)
            throw new InvalidDataException($"the search ended after {clock.Elapsed.TotalMinutes:0.0} min with exit code " +
                $"{process.ExitCode}: make it longer");
        using (Process interrupt = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            interrupt.WaitForExit();
        DrillRun.WaitFor(process);
        return Figures();
    }

    private List<SoakFigure> Figures()
    {
        HealthLine[] lines = [.. File.ReadAllLines(Path.Combine(drill.Folder.SearchFolder("soak"), HealthLog.FileName))
            .Select(HealthLine.Parse)];
        SearchRecord record = drill.Load("soak")!;
        int quarter = lines.Length / 4;
        HealthLine[] early = lines[quarter..(2 * quarter)];
        HealthLine[] late = lines[^quarter..];
        List<SoakFigure> figures =
        [
            Figure("coordinator memory, MB", l => l.CoordinatorBytes / 1e6),
            Figure("coordinator threads", l => l.CoordinatorThreads),
            Figure("coordinator open files", l => l.CoordinatorFiles),
        ];
        for (int i = 0; i < lines[0].TrainerBytes.Count; i++)
        {
            int trainer = i;
            figures.Add(Figure(Invariant($"trainer {trainer} memory, MB"), l => l.TrainerBytes[trainer] / 1e6));
            figures.Add(Figure(Invariant($"trainer {trainer} threads"), l => l.TrainerThreads[trainer]));
            figures.Add(Figure(Invariant($"trainer {trainer} native tensors"), l => l.TrainerTensors[trainer], 1.2));
        }

        figures.Add(new("journal bytes an event", Growth(early), Growth(late), Growth(late) <= Growth(early) * 1.25));
        figures.Add(new("events an hour", Rate(early), Rate(late), false));
        return figures;

        double Growth(HealthLine[] part) => (part[^1].JournalBytes - part[0].JournalBytes) / Math.Max(1.0, Between(part));
        double Rate(HealthLine[] part) => Between(part) / Math.Max(1e-9, (part[^1].At - part[0].At).TotalHours);
        double Between(HealthLine[] part) => record.Events.Count(e => e.Created >= part[0].At && e.Created <= part[^1].At);
        SoakFigure Figure(string name, Func<HealthLine, double> of, double tolerance = 1.05)
        {
            (double a, double b) = (Median(early.Select(of)), Median(late.Select(of)));
            return new(name, a, b, b <= (a * tolerance) + 1);
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }
}
