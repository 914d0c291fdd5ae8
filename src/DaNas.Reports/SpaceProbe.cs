using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Evidence;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Experiments;
using DaNas.Runtime.Searches;

namespace DaNas.Reports;

/// <summary>Which architectures a probe of a space trains, and what their trainings say.</summary>
internal static class SpaceProbe
{
    /// <summary>Spaces up to here can be trained whole.</summary>
    public const int Largest = 1000;

    public sealed record Request(int Count, bool All, bool AnyCost);

    /// <summary>The architectures to train, and how many the band of the budget has. Throws <see cref="UsageException"/>.</summary>
    public static (Architecture[] Table, double Band) Table(SearchSpace space, SearchConfig config, Request request)
    {
        // The band that the strategy random draws from, too: it ends at the budget.
        long target = (long)(SearchState.BudgetOf(space, config.Cost) / (1 + config.Controls.Tolerance));
        ArchitectureBand band = request.AnyCost ? new(space, long.MaxValue / 4, 1) : new(space, target, config.Controls.Tolerance);
        double size = request.AnyCost ? space.Size : band.Count;
        if (request.All && size > Largest)
            throw new UsageException(Invariant($"--all: {size:N0} architectures exceed the limit of {Largest:N0}; omit --all, narrow the " +
                $"space, or lower controls.tolerance"));
        int count = request.All ? (int)size : request.Count;
        if (size < 5 || size < count)
            throw new UsageException(request.AnyCost ? Invariant($"--count {count}: {space.Name} has {size:N0} architectures") : Invariant(
                $"--count {count}: only {size:N0} architectures of {space.Name} are within controls.tolerance = " +
                    $"{config.Controls.Tolerance} of the budget of {target:N0} MACs; ask for fewer, raise the " +
                    $"tolerance, or add --any-cost"));
        ArchitectureBudget budget = ArchitectureBudget.Of(space, config.Cost);
        ValueList<Architecture> drawn = band.Draw(count, SeededRandom.Derive(config.Search.Seed, "probe"),
            a => !(budget.Latency?.Of(a) > budget.Milliseconds));
        return drawn.Count >= Math.Min(count, 5)
            ? ([.. drawn.OrderBy(a => a.Text, StringComparer.Ordinal)], size)
            : throw new UsageException(Invariant($"--count {count}: only {drawn.Count} architectures with a latency below " +
                $"cost.target-milliseconds = {budget.Milliseconds} were found; raise the limit"));
    }

    /// <summary>The report of the trainings that are done.</summary>
    public static ProbeReport Report(string name, double band, SearchSpace space, Architecture[] table, SearchRecord done)
    {
        CostTable costs = CostTable.Of(space);
        ProbeRow[] rows = [.. table.Select(a => new ProbeRow(
            a.Text, costs.Of(a).Macs, costs.Of(a).Parameters, TruthTraining.Results(done, a), TruthTraining.Initial(done, a)))];
        double seconds = done.Events.Select(e => e.Event).OfType<SearchEvent.SegmentCompleted>()
            .Sum(s => s.Timing.Seconds) / rows.Sum(r => r.Alone.Count);
        return ProbeReport.Of(name, band, Math.Round(seconds, 2), rows, done.State.Config!.Search.Seed)
            with
        { Data = done.State.Started!.Data.Fingerprint.Hex, Split = done.State.Config!.Retrain.MeasuredName };
    }

    /// <summary>A report in sentences.</summary>
    public static IEnumerable<string> Sentences(ProbeReport r)
    {
        yield return Invariant($"{r.Rows.Count} of {r.Band:N0} architectures; spread between architectures {100 * r.Spread:0.0} " +
            $"points, noise of one training {100 * r.Noise:0.0}");
        yield return $"ceiling: the rankings by two training runs of the same architectures agree with Kendall tau {r.Ceiling.Text}; " +
            $"a perfect predictor would reach {Invariant($"{r.PerfectPredictor:0.00}")} with their mean";
        foreach (TrivialPredictor t in r.Trivial)
            yield return Invariant($"  without training, {t.Title}: tau {t.Tau.Text}, regret {100 * t.Regret.Value:0.0} points");
        if (r.TrainingsNeeded is { } n)
            yield return Invariant($"to reach a ceiling of {ProbeReport.Wanted}: the mean of {n} " +
                $"training{(n == 1 ? string.Empty : "s")} of each, " +
                    $"{r.HoursNeeded:0.0} trainer-hours for these {r.Rows.Count} ({r.SecondsPerTraining:0.#} s per training run)");
        yield return $"verdict: {r.Sentence}";
    }
}
