using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Estimates;
using DaNas.Drills;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;

namespace DaNas.Cli.Verbs;

/// <summary>The options of a forecast on the simulate verb.</summary>
internal sealed class ForecastOptions
{
    private readonly Option<string> mtbf = Shared.Option("--mtbf", "24h",
        "Forecast: mean time between failures of one process, such as 6h.");
    private readonly Option<int> trainers = Shared.Option("--trainers", 4, "Forecast: number of trainers.");
    private readonly Option<double?> rate = Shared.Option<double?>(
        "--macs-per-second", "Forecast: MACs per second of one trainer (default: measured on this machine).");
    private readonly Option<int> runs = Shared.Option("--runs", 20, "Forecast: simulated runs.");
    private readonly Option<string[]> set = Shared.Set();
    private readonly Option<string?> data = Shared.Data();

    public Option<bool> Json { get; } = Shared.Json();

    public ForecastOptions(Command command)
    {
        foreach (Option option in (Option[])[mtbf, trainers, rate, runs, set, data, Json])
            command.Options.Add(option);
    }

    public ForecastRequest Read(ParseResult parsed) => new(
        Seconds(parsed.GetValue(mtbf)!), parsed.GetValue(trainers), parsed.GetValue(rate), parsed.GetValue(runs), parsed.GetValue(set)
            ?? [], parsed.GetValue(data));

    /// <summary>A duration such as 90s, 30m, 6h or 2d.</summary>
    public static double Seconds(string text)
    {
        double unit = text.Length > 1 ? text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 } : 0;
        return unit > 0 && double.TryParse(text.AsSpan(0, text.Length - 1),
            System.Globalization.CultureInfo.InvariantCulture, out double n) && n > 0
            ? n * unit
            : throw new UsageException($"'{text}' is not a duration: use for example 90s, 30m, 6h or 2d");
    }
}

/// <summary>simulate CONF.</summary>
internal static class ForecastVerb
{
    public static int Run(string file, ForecastRequest request, bool json)
    {
        ForecastResult f = Forecast.Of(file, request);
        if (json)
        {
            Output.PrintJson("simulate", new
            {
                cleanSeconds = f.CleanSeconds,
                medianSeconds = f.MedianSeconds,
                longestSeconds = f.LongestSeconds,
                meanLostSeconds = f.MeanLostSeconds,
                medianGoodput = f.MedianGoodput,
                meanFailures = f.MeanFailures,
                cleanGoodput = f.CleanGoodput,
                macsPerSecond = f.MacsPerSecond,
                runs = f.Runs,
            });
            return ExitCode.Done;
        }

        Output.PrintText(
            Invariant($"{f.Units:N0} units on {request.Trainers} trainers with {f.MacsPerSecond:0.###e0} MACs per second each; a process " +
                $"fails every {Durations.Text(request.MtbfSeconds)} on average"));
        Output.PrintText(
            Invariant($"without failures  {Durations.Text(f.CleanSeconds)}, {f.CleanGoodput:P0} of trainer time productive"));
        Output.PrintText(Invariant($"with failures     {Durations.Text(f.MedianSeconds)} (median of {f.Runs} runs, longest " +
            $"{Durations.Text(f.LongestSeconds)}), {f.MedianGoodput:P0} of trainer time productive"));
        Output.PrintText(Invariant($"lost work         {Durations.Text(f.MeanLostSeconds)} of trainer time over {f.MeanFailures:0.0} " +
            $"failures (means); every run makes the same decisions as the fault-free run"));
        return ExitCode.Done;
    }
}
