using System.CommandLine;
using DaNas.Actors;
using DaNas.Actors.Logging;
using DaNas.Simulation;
using DaNas.SimulationKit;
using DaNas.Cli.Configuration;
using DaNas.Cli.Running;
using DaNas.Cli.Trainers;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Ports;
using DaNas.Tabular;
using DaNas.Torch;

namespace DaNas.Cli.Verbs;

/// <summary>What a forecast asks for.</summary>
internal sealed record ForecastRequest(double MtbfSeconds, int Trainers, double? MacsPerSecond, int Runs, IReadOnlyList<string> Sets, string? Data, bool Json);

/// <summary>The options of a forecast on the simulate verb.</summary>
internal sealed class ForecastOptions
{
    private readonly Option<string> mtbf = new("--mtbf") { DefaultValueFactory = _ => "24h", Description = "Forecast: mean time between failures of one process, such as 6h." };
    private readonly Option<int> trainers = new("--trainers") { DefaultValueFactory = _ => 4, Description = "Forecast: number of trainers." };
    private readonly Option<double?> rate = new("--macs-per-second") { Description = "Forecast: multiply-adds a second of one trainer (default: measured here)." };
    private readonly Option<int> runs = new("--runs") { DefaultValueFactory = _ => 20, Description = "Forecast: simulated runs." };
    private readonly Option<string[]> set = Shared.Set();
    private readonly Option<string?> data = Shared.Data();
    private readonly Option<bool> json = Shared.Json();

    public ForecastOptions(Command command)
    {
        foreach (Option option in (Option[])[mtbf, trainers, rate, runs, set, data, json])
            command.Options.Add(option);
    }

    public ForecastRequest Read(ParseResult parsed) => new(
        Seconds(parsed.GetValue(mtbf)!), parsed.GetValue(trainers), parsed.GetValue(rate), parsed.GetValue(runs), parsed.GetValue(set) ?? [], parsed.GetValue(data), parsed.GetValue(json));

    /// <summary>A duration such as 90s, 30m, 6h or 2d.</summary>
    public static double Seconds(string text)
    {
        double unit = text.Length > 1 ? text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 } : 0;
        return unit > 0 && double.TryParse(text.AsSpan(0, text.Length - 1), System.Globalization.CultureInfo.InvariantCulture, out double n) && n > 0
            ? n * unit
            : throw new UsageException($"'{text}' is no duration: write such as 90s, 30m, 6h or 2d");
    }
}

/// <summary>
/// How long a search takes under a failure rate, how much work is lost, and what share of the trainers' time is useful: the real coordinator,
/// dispatcher and trainers in virtual time, units as long as their multiply-adds ask for.
/// </summary>
internal static class Forecast
{
    public static int Run(string file, ForecastRequest request)
    {
        SearchConfig config = ConfigLoader.Load(file, request.Sets, request.Data);
        DatasetSummary data = Engines.Describe(config);
        double rate = request.MacsPerSecond ?? Measured();
        SearchEstimate estimate = SearchEstimate.Of(config, data);
        LandscapeEngine engine = new(new EngineContext(config, data));
        SimulatedSearch search = new(config, data, u => new UnitOutcome.Completed(engine.Answer(u)));
        Func<WorkUnit, double> seconds = UnitSeconds(estimate, rate);
        Outcome clean = Once(search, request, seconds, 0, double.PositiveInfinity);
        Outcome[] runs = [.. Enumerable.Range(1, request.Runs).AsParallel().AsOrdered().Select(seed => Once(search, request, seconds, seed, request.MtbfSeconds))];
        double duration = Median(runs.Select(r => r.Seconds));
        double goodput = Median(runs.Select(r => r.Useful / Math.Max(1e-9, r.Seconds * request.Trainers)));
        double lost = runs.Average(r => r.Lost);
        double failures = runs.Average(r => (double)r.Failures);
        if (request.Json)
        {
            Output.PrintJson("simulate", new
            {
                cleanSeconds = clean.Seconds,
                medianSeconds = duration,
                longestSeconds = runs.Max(r => r.Seconds),
                meanLostSeconds = lost,
                medianGoodput = goodput,
                meanFailures = failures,
                cleanGoodput = clean.Useful / (clean.Seconds * request.Trainers),
                macsPerSecond = rate,
                runs = runs.Length,
            });
            return ExitCode.Done;
        }

        Output.PrintText(Output.Text($"{estimate.Units:N0} units on {request.Trainers} trainers of {rate:0.###e0} multiply-adds a second; a process fails every {Presenter.Duration(request.MtbfSeconds)} on average"));
        Output.PrintText(Output.Text($"without failures  {Presenter.Duration(clean.Seconds)}, {clean.Useful / (clean.Seconds * request.Trainers):P0} of the trainers' time at work"));
        Output.PrintText(Output.Text($"with failures     {Presenter.Duration(duration)} (median of {runs.Length} runs, longest {Presenter.Duration(runs.Max(r => r.Seconds))}), {goodput:P0} of the trainers' time useful"));
        Output.PrintText(Output.Text($"lost work         {Presenter.Duration(lost)} of trainer time over {failures:0.0} failures (means); every run ends with the decisions of the clean one"));
        return ExitCode.Done;
    }

    private static double Measured()
    {
        TorchBinding.Prepare(1);
        return StepBenchmark.Run(ConfigLoader.Load("drawn-12", [], null).SpaceFor(10), 64, true, "cpu", 2).MacsPerSecond;
    }

    /// <summary>Each phase's expected work, shared equally by its units; a merge takes a moment.</summary>
    private static Func<WorkUnit, double> UnitSeconds(SearchEstimate estimate, double rate)
    {
        Dictionary<string, double> each = estimate.Phases.ToDictionary(p => p.Phase, p => SearchEstimate.Weighted(p.Cost) / Math.Max(1, p.Units) / rate, StringComparer.Ordinal);
        return unit => unit switch
        {
            WorkUnit.MeasureDifficulty => each.GetValueOrDefault("difficulty", 1),
            WorkUnit.TrainShard u => each.GetValueOrDefault(u.Stage.IsWarmup ? "warm-up" : Output.Text($"stage {u.Stage.Index}"), 1),
            WorkUnit.EvaluateArchitecture => each.GetValueOrDefault("derivation", 1),
            WorkUnit.RetrainSegment u when Domain.Searches.Finals.IsFinal(u.Run) => each.GetValueOrDefault(Output.Text($"finals, rung {Domain.Searches.Finals.RungOf(u.Run)}"), 1),
            WorkUnit.RetrainSegment => each.GetValueOrDefault("retraining", 1),
            WorkUnit.EvaluateBlocks u => each.GetValueOrDefault($"stage {u.Id[1..u.Id.IndexOf('/', StringComparison.Ordinal)]}", 1),
            _ => 0.5,
        };
    }

    private static Outcome Once(SimulatedSearch search, ForecastRequest request, Func<WorkUnit, double> seconds, long seed, double mtbf)
    {
        SimulatedWorld world = new((ulong)SeededRandom.Derive(seed, "forecast"));
        SimulatedCluster cluster = new(world, search, new ClusterLayout(request.Trainers, false), seconds, (Plant.None, new NoLog())) { RestartSeconds = (5, 60) };
        int failures = 0;
        if (double.IsFinite(mtbf))
        {
            foreach (SimulatedNode node in world.Nodes)
                FailAgain(node);
        }

        if (!world.RunUntil(() => cluster.IsOver, TimeSpan.FromDays(3650)))
            throw new InvalidDataException(Output.Text($"under a failure every {Presenter.Duration(mtbf)} the search does not end in ten years: make rounds shorter (rounds.steps)"));
        if (cluster.Checks.Violations.Count > 0)
            throw new InvalidDataException($"the simulation found a defect, please report it: {cluster.Checks.Violations[0]}");
        return new(world.Elapsed.TotalSeconds, cluster.Engines.Sum(e => e.UsefulSeconds), cluster.Engines.Sum(e => e.BusySeconds - e.UsefulSeconds), failures);

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
