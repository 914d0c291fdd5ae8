using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Domain.Estimates;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Stages;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Trainers;
using DaNas.Torch;

namespace DaNas.Cli.Verbs;

/// <summary>Before a search runs: validate, estimate, config show.</summary>
internal static class ConfigVerbs
{
    public static Command Validate()
    {
        Argument<string> conf = Shared.Conf();
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Command command = new("validate", "Validates a configuration and summarises it without running anything.") { conf, set, data };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            SearchConfig config = ConfigLoader.Load(parsed.GetValue(conf)!, parsed.GetValue(set) ?? [], parsed.GetValue(data));
            SearchSpace space = config.SpaceFor(10);
            Output.PrintText(Invariant($"{parsed.GetValue(conf)} is valid: {config.Search.Name}, strategy " +
                $"{ConfigSection.Kebab(config.Search.Strategy.ToString())}, space {space.Name} with {space.Layers.Count} layers and " +
                $"{space.Size:0.###e+0} architectures, configuration {config.Hash.Short}"));
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Config()
    {
        Argument<string> conf = Shared.Conf();
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<bool> origin = Shared.Option<bool>("--origin", "Shows where each value was set.");
        Command show = new("show", "Prints the resolved configuration, key by key.") { conf, set, data, origin };
        show.SetAction(parsed => Shared.Guard(() =>
        {
            ConfigObject tree = ConfigLoader.Resolve(parsed.GetValue(conf)!, parsed.GetValue(set) ?? [], parsed.GetValue(data));
            foreach ((string key, ConfigNode value) in Leaves(tree, string.Empty))
                Console.WriteLine(parsed.GetValue(origin) ? $"{key} = {value.ToCanonicalText()}   # {value.Origin}"
                    : $"{key} = {value.ToCanonicalText()}");
            return ExitCode.Done;
        }));
        return new Command("config", "Shows the configuration after all includes and overrides have been applied.") { show };
    }

    public static Command Estimate()
    {
        Argument<string> conf = Shared.Conf();
        Option<string[]> set = Shared.Set();
        Option<string?> data = Shared.Data();
        Option<bool> json = Shared.Json();
        Option<double> seconds = Shared.Option<double>("--measure", 3,
            "Seconds to spend measuring the speed of this machine (0: do not measure).");
        Command command =
            new("estimate", "Estimates the cost of a search without running it: units, images, MACs, memory and time.") { conf,
            set, data, json, seconds };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            SearchConfig config = ConfigLoader.Load(parsed.GetValue(conf)!, parsed.GetValue(set) ?? [], parsed.GetValue(data));
            DatasetSummary summary = Engines.Describe(config);
            GC.Collect(2, GCCollectionMode.Aggressive, true, true);
            SearchEstimate estimate = SearchEstimate.Of(config, summary);
            (double? time, string how) = Time(config, summary, estimate, parsed.GetValue(seconds));
            if (parsed.GetValue(json))
                Output.PrintJson("estimate", new
                {
                    config.Search.Name,
                    units = estimate.Units,
                    costImages = estimate.Total.ForwardImages,
                    costBackwardImages = estimate.Total.BackwardImages,
                    costMacs = estimate.Total.ForwardMacs,
                    trainerBytes = estimate.TrainerBytes,
                    seconds = time,
                    classes = summary.Classes.Count,
                    trainingImages = summary.TrainImages,
                    phases = estimate.Phases
                });
            else
                Print(config, summary, estimate, time, how);
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Print(SearchConfig config, DatasetSummary data, SearchEstimate estimate, double? time, string how)
    {
        SearchSpace space = config.SpaceFor(data.Classes.Count);
        Output.PrintText(Invariant($"{config.Search.Name}: {space.Name} ({space.Size:0.###e+0} architectures) on {data.Name}, " +
            $"{data.Classes.Count} classes, {data.TrainImages:N0} training and {data.Test.Sum(n => (long)n):N0} test images"));
        Output.PrintTable(
            ["phase", "classes", "units", "images (forward)", "images (backward)", "forward MACs (expected)"],
            estimate.Phases.Select(p => (IReadOnlyList<string>)[p.AtMost ? $"{p.Phase}, at most" : p.Phase, Invariant($"{p.Classes}"),
                Invariant($"{p.Units:N0}"), Invariant($"{p.Cost.ForwardImages:N0}"), Invariant($"{p.Cost.BackwardImages:N0}"),
                Invariant($"{(double)p.Cost.ForwardMacs:0.00e+0}")]));
        string most = estimate.Phases.Any(p => p.AtMost) ? "at most " : string.Empty;
        Output.PrintText(Invariant($"total: {most}{estimate.Units:N0} units, {estimate.Total.ForwardImages:N0} forward-pass images, " +
            $"{estimate.Total.BackwardImages:N0} backward-pass images, {(double)estimate.Total.ForwardMacs:0.00e+0} MACs"));
        if (config.Difficulty is { JudgesOrder: true, Passes: > 1 and var passes }
            && estimate.Phases.FirstOrDefault(p => p.Phase == "difficulty") is { } pass)
            Output.PrintText(
                Invariant($"the difficulty pass is repeated until the order of the classes is stable: up to {passes} passes, " +
                    $"{(passes - 1) * pass.Cost.ForwardImages:N0} additional forward-pass images"));
        Output.PrintText(Invariant($"budget per architecture: {SearchState.BudgetOf(space, config.Cost):N0} MACs"));
        Output.PrintText(Invariant($"memory per trainer: about {estimate.TrainerBytes / 1e6:N0} MB, plus up to " +
            $"{config.Data.CacheBytes / 1e6:N0} MB for decoded images"));
        Output.PrintText(time is { } t ? $"time on this machine: {most}about {Durations.Text(t)} ({how})" : $"time: not estimated ({how})");
    }

    /// <summary>Weighted MACs over the measured speed and the trainers that the cores can feed.</summary>
    private static (double? Seconds, string How) Time(SearchConfig config, DatasetSummary data, SearchEstimate estimate, double measure)
    {
        if (config.Engine.Kind != EngineKind.Torch)
            return (null, "nothing is trained; each image is one evaluation");
        if (measure <= 0)
            return (null, "--measure 0");
        string device = config.Trainers.Device == "cpu" || TorchBinding.HasCuda ? config.Trainers.Device : "cpu";
        TorchBinding.Prepare(config.Trainers.Threads);
        int batch = estimate.TrainerBytes > 1_000_000_000 ? 2 : config.Weights.Batch;
        StepBenchmark speed = StepBenchmark.Run(StepBenchmark.Typical(config.SpaceFor(data.Classes.Count)), batch,
            config.Trainers.Layout == TensorLayout.ChannelsLast, device, measure);
        int parallel = device == "cpu"
            ? Math.Max(1, Math.Min(config.Trainers.Count, Environment.ProcessorCount / config.Trainers.Threads)) : config.Trainers.Count;
        double seconds = estimate.WeightedMacs / (speed.MacsPerSecond * 3 * parallel);
        string note = device == config.Trainers.Device ? string.Empty
            : $", configured for {config.Trainers.Device}, which is not available on this machine";
        return (seconds,
            Invariant($"measured {speed.ImagesPerSecond:N0} training images/s per trainer on {device}, {parallel} in parallel{note}"));
    }

    private static IEnumerable<(string Key, ConfigNode Value)> Leaves(ConfigNode node, string path) => node is ConfigObject o
        ? o.Fields.OrderBy(f => f.Key, StringComparer.Ordinal)
            .SelectMany(f => Leaves(f.Value, path.Length == 0 ? f.Key : $"{path}.{f.Key}"))
        : [(path, node)];
}
