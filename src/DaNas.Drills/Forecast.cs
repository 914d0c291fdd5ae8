using DaNas.Actors;
using DaNas.Actors.Logging;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Ports;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Trainers;
using DaNas.Simulation;
using DaNas.Simulation.Engines;
using DaNas.SimulationKit;
using DaNas.Torch;

namespace DaNas.Drills;

/// <summary>What a forecast asks for.</summary>
internal sealed record ForecastRequest(double MtbfSeconds, int Trainers, double? MacsPerSecond, int Runs,
    IReadOnlyList<string> Sets, string? Data);

/// <summary>
/// What a forecast found: seconds, shares of the trainers' time that was useful, mean seconds of trainer time lost, mean failures.
/// </summary>
internal sealed record ForecastResult(
    long Units, double MacsPerSecond, double CleanSeconds, double CleanGoodput, double MedianSeconds, double LongestSeconds,
        double MedianGoodput, double MeanLostSeconds, double MeanFailures, int Runs);

/// <summary>
/// How long a search takes under a failure rate, how much work is lost, and what share of the trainers' time is useful: the real
/// coordinator, dispatcher and trainers in virtual time, units as long as their MACs ask for.
/// </summary>
internal static class Forecast
{
    /// <summary>Forecasts the search of a configuration file.</summary>
    public static ForecastResult Of(string file, ForecastRequest request)
    {
        SearchConfig config = ConfigLoader.Load(file, request.Sets, request.Data);
        DatasetSummary data = Engines.Describe(config);
        double rate = request.MacsPerSecond ?? Measured();
        SearchEstimate estimate = SearchEstimate.Of(config, data);
        LandscapeEngine engine = new(new EngineContext(config, data));
        SimulatedSearch search = new(config, data, u => new UnitOutcome.Completed(engine.Answer(u)));
        Func<WorkUnit, double> seconds = UnitSeconds(estimate, rate);
        Outcome clean = Once(search, request, seconds, 0, double.PositiveInfinity);
        Outcome[] runs = [.. Enumerable.Range(1, request.Runs).AsParallel().AsOrdered()
            .Select(seed => Once(search, request, seconds, seed, request.MtbfSeconds))];
        double duration = Median(runs.Select(r => r.Seconds));
        double goodput = Median(runs.Select(r => r.Useful / Math.Max(1e-9, r.Seconds * request.Trainers)));
        double lost = runs.Average(r => r.Lost);
        double failures = runs.Average(r => (double)r.Failures);
        return new(estimate.Units, rate, clean.Seconds, clean.Useful / (clean.Seconds * request.Trainers), duration,
            runs.Max(r => r.Seconds), goodput, lost, failures, runs.Length);
    }

    private static double Measured()
    {
        TorchBinding.Prepare(1);
        return StepBenchmark.Run(ConfigLoader.Load("drawn-12", [], null).SpaceFor(10), 64, true, "cpu", 2).MacsPerSecond;
    }

    /// <summary>Each phase's expected work, shared equally by its units; a merge takes a moment.</summary>
    private static Func<WorkUnit, double> UnitSeconds(SearchEstimate estimate, double rate)
    {
        Dictionary<string, double> each = estimate.Phases.ToDictionary(
            p => p.Phase, p => SearchEstimate.Weighted(p.Cost) / Math.Max(1, p.Units) / rate, StringComparer.Ordinal);
        return unit => unit switch
        {
            WorkUnit.MeasureDifficulty => each.GetValueOrDefault("difficulty", 1),
            WorkUnit.TrainShard u => each.GetValueOrDefault(u.Stage.IsWarmup ? "warm-up" : Invariant($"stage {u.Stage.Index}"), 1),
            WorkUnit.EvaluateArchitecture => each.GetValueOrDefault("derivation", 1),
            WorkUnit.RetrainSegment u when Domain.Searches.Finals.IsFinal(u.Run) =>
                each.GetValueOrDefault(Invariant($"finals, rung {Domain.Searches.Finals.RungOf(u.Run)}"), 1),
            WorkUnit.RetrainSegment => each.GetValueOrDefault("retraining", 1),
            WorkUnit.EvaluateBlocks u => each.GetValueOrDefault($"stage {u.Id[1..u.Id.IndexOf('/', StringComparison.Ordinal)]}", 1),
            _ => 0.5,
        };
    }

    private static Outcome Once(SimulatedSearch search, ForecastRequest request, Func<WorkUnit, double> seconds, long seed, double mtbf)
    {
        SimulatedWorld world = new((ulong)SeededRandom.Derive(seed, "forecast"));
        SimulatedCluster cluster = new(world, search, new ClusterLayout(request.Trainers, false), seconds,
            (Plant.None, new NoLog()))
        { RestartSeconds = (5, 60) };
        int failures = 0;
        if (double.IsFinite(mtbf))
        {
            foreach (SimulatedNode node in world.Nodes)
                FailAgain(node);
        }

        if (!world.RunUntil(() => cluster.IsOver, TimeSpan.FromDays(3650)))
            throw new InvalidDataException(Invariant($"with a failure every {Durations.Text(mtbf)}, the search does not finish within " +
                $"ten years: shorten the rounds (rounds.steps)"));
        if (cluster.Checks.Violations.Count > 0)
            throw new InvalidDataException($"the simulation found a defect, please report it: {cluster.Checks.Violations[0]}");
        return new(world.Elapsed.TotalSeconds, cluster.Engines.Sum(e => e.UsefulSeconds),
            cluster.Engines.Sum(e => e.BusySeconds - e.UsefulSeconds), failures);

        void FailAgain(SimulatedNode node) => world.After(TimeSpan.FromSeconds(-mtbf * Math.Log(1 - world.Random.Fraction())), () =>
        {
            if (cluster.IsOver)
                return;
            failures++;
            cluster.Crash(node);
            FailAgain(node);
        });
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private sealed record Outcome(double Seconds, double Useful, double Lost, int Failures);

    private sealed class NoLog : IStateLog
    {
        public void Write(string actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
