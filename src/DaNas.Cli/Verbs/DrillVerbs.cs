using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using DaNas.Cli.Presentation;
using DaNas.Domain.Configuration;
using DaNas.Drills;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>Drills: real processes, real kills, compared with the clean search. Each prints one JSON line last.</summary>
internal static class DrillVerbs
{
    /// <summary>The drill search, long enough to strike it again and again.</summary>
    private static readonly string[] LongDrill = ["warmup.epochs=20", "stage.epochs=40"];

    private static readonly JsonSerializerOptions Named = new(Output.Json) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static Command Drill() => new("drill", "Kills real searches in every way and compares them with the clean one.") { SweepCommand(), KillLoopCommand(), SoakCommand(), FailoverCommand(), ThroughputCommand(), RenewalCommand(), PartitionsCommand(), PlainCommand() };

    private static Command SweepCommand()
    {
        Option<int> points = new("--points") { DefaultValueFactory = _ => int.MaxValue, Description = "At most so many chained points (default: to the search's end)." };
        Option<int> stride = new("--stride") { DefaultValueFactory = _ => 1, Description = "Every how many events a point is." };
        Option<int> independent = new("--independent") { DefaultValueFactory = _ => 30, Description = "Searches that die once, at a drawn point." };
        Option<int> seed = Seed();
        Command command = new("sweep", "kill -9 just before and just after events and blobs become durable.") { points, stride, independent, seed };
        command.SetAction(parsed => Drilled<SweepResult>("sweep", () => InTemporaryFolder("drill", [], drill =>
        {
            SweepResult result = new Sweep(drill, Console.WriteLine).Run(parsed.GetValue(points), parsed.GetValue(stride), parsed.GetValue(independent), parsed.GetValue(seed));
            foreach (string failure in result.Failures)
                Console.WriteLine(failure);
            Print("sweep", result);
            return result.Different == 0 ? ExitCode.Done : ExitCode.Failed;
        })));
        return command;
    }

    private static Command KillLoopCommand()
    {
        Argument<string> conf = new("CONF") { DefaultValueFactory = _ => "quickstart", Description = "The search to kill; its units should take two seconds at most." };
        Option<string[]> set = Shared.Set();
        Option<string> mean = new("--mean") { DefaultValueFactory = _ => "5s", Description = "Mean time between kills." };
        Option<double> minutes = new("--minutes") { DefaultValueFactory = _ => 30, Description = "How long." };
        Option<double> plain = new("--plain-minutes") { DefaultValueFactory = _ => 5, Description = "How long the plain script with epoch checkpoints is killed the same way; 0: not at all." };
        Option<int> seed = Seed();
        Command command = new("kill-loop", "Random process, random moment, kill -9, again and again.") { conf, set, mean, minutes, plain, seed };
        command.SetAction(parsed => Drilled<KillLoopResult>("kill-loop", () => InTemporaryFolder(parsed.GetValue(conf)!, parsed.GetValue(set) ?? [], drill =>
        {
            KillLoopResult result = new KillLoop(drill, Console.WriteLine, ForecastOptions.Seconds(parsed.GetValue(mean)!), parsed.GetValue(seed)).Run(parsed.GetValue(minutes), parsed.GetValue(plain));
            foreach (string failure in result.Failures)
                Console.WriteLine(failure);
            Print("kill-loop", result);
            return result.Different == 0 ? ExitCode.Done : ExitCode.Failed;
        })));
        return command;
    }

    private static Command SoakCommand()
    {
        Option<double> minutes = new("--minutes") { DefaultValueFactory = _ => 30, Description = "How long." };
        Option<string[]> set = Shared.Set();
        Option<bool> cluster = new("--cluster") { Description = "Two coordinators, three trainers and PostgreSQL that nobody strikes: no change of the leader, no trainer taken for lost." };
        Command command = new("soak", "One long search: memory, threads, files, native tensors and journal must not grow.") { minutes, set, cluster };
        command.SetAction(parsed => parsed.GetValue(cluster) ? ClusterSoak(parsed.GetValue(minutes)) : Drilled<IReadOnlyList<SoakFigure>>("soak", () => InTemporaryFolder("drill", ["warmup.epochs=5000", .. parsed.GetValue(set) ?? []], drill =>
        {
            IReadOnlyList<SoakFigure> figures = new Soak(drill, Console.WriteLine).Run(parsed.GetValue(minutes));
            Output.PrintTable(["figure", "second quarter", "last quarter", "ratio", ""], figures.Select(f => (IReadOnlyList<string>)[f.Name, Output.Text($"{f.Early:0.##}"), Output.Text($"{f.Late:0.##}"), Output.Text($"{f.Ratio:0.000}"), f.Bounded ? "ok" : "look"]));
            Print("soak", figures);
            return figures.Where(f => f.Name != "events an hour").All(f => f.Bounded) ? ExitCode.Done : ExitCode.Failed;
        })));
        return command;
    }

    private static int ClusterSoak(double minutes) => OnCluster("cluster-soak", scene => new ClusterSoak(scene, Console.WriteLine).RunAsync(minutes), r => r.Failures);

    private static Command RenewalCommand()
    {
        Command command = new("renewal", "Every node of a cluster gets another certificate while searches run: no unit may be lost.");
        command.SetAction(_ => OnCluster("renewal", scene => new Renewal(scene, Console.WriteLine).RunAsync(), r => r.Failures));
        return command;
    }

    /// <summary>A drill on two coordinators and three trainers, whose result is one JSON line.</summary>
    private static int OnCluster<T>(string name, Func<DrillScene, Task<T>> run, Func<T, IReadOnlyList<string>> failuresOf) => Drilled<T>(name, () =>
    {
        string journal = Journal();
        return InTemporaryFolder("drill", LongDrill, drill =>
        {
            T result = OnScene(drill, journal, 3, ConfigLoader.Load("drill", LongDrill, null), run);
            foreach (string failure in failuresOf(result))
                Console.Error.WriteLine(failure);
            Print(name, result);
            return failuresOf(result).Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
    });

    private static T OnScene<T>(DrillRun drill, string journal, int trainers, SearchConfig config, Func<DrillScene, Task<T>> run)
    {
        return RunAsync().GetAwaiter().GetResult();

        async Task<T> RunAsync()
        {
            await using DrillScene scene = await DrillScene.SetAsync(drill, journal, trainers, config);
            return await run(scene);
        }
    }

    private static Command FailoverCommand()
    {
        Argument<string> conf = new("CONF") { DefaultValueFactory = _ => "drill", Description = "The search; long enough, of short units." };
        Option<string?> data = Shared.Data();
        Option<int> runs = new("--runs") { DefaultValueFactory = _ => 10, Description = "How often the leader is killed, is frozen, and a trainer is killed." };
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Option<int> trainers = new("--trainers") { DefaultValueFactory = _ => 3, Description = "Trainers beside the two coordinators; one makes three nodes." };
        Command command = new("failover", "Two coordinators, some trainers and PostgreSQL (DANAS_JOURNAL; scripts/drill.sh starts one): the leader is killed and frozen, trainers are killed.") { conf, data, runs, trainers, set, json };
        command.SetAction(parsed => Drilled<FailoverResult>("failover", () =>
        {
            string journal = Journal();
            string name = parsed.GetValue(conf)!;
            string[] sets = [.. name == "drill" ? LongDrill : [], .. parsed.GetValue(data) is { } path ? (string[])[$"data.path={Path.GetFullPath(path)}"] : [], .. parsed.GetValue(set) ?? []];
            return InTemporaryFolder(name, sets, drill =>
            {
                int count = parsed.GetValue(trainers);
                FailoverResult result = OnScene(drill, journal, count, ConfigLoader.Load(name, sets, null), scene => new Failover(scene, count, parsed.GetValue(json) ? Console.Error.WriteLine : Console.WriteLine).RunAsync(parsed.GetValue(runs)));
                foreach (string failure in result.Failures)
                    Console.Error.WriteLine(failure);
                Console.WriteLine(parsed.GetValue(json) ? Line("failover", result)
                    : Output.Text($"to the next progress, medians of {parsed.GetValue(runs)}: leader killed {result.KilledMedianSeconds:0.00} s, leader frozen {result.FrozenMedianSeconds:0.00} s, trainer killed {result.TrainerKilledMedianSeconds:0.00} s; a lost trainer's unit given to another one after {Most(result.UnitElsewhere):0.00} s at most ({result.UnitElsewhere.Count} units); a frozen trainer back after {Most(result.TrainerBack):0.00} s at most; {result.Searches} searches, hashes {(result.HashesEqual ? "equal" : "DIFFERENT")}"));
                return result.HashesEqual && result.Failures.Count == 0 ? ExitCode.Done : ExitCode.Failed;
            });
        }));
        return command;
    }

    private static double Most(IReadOnlyList<double> seconds) => seconds.Count == 0 ? double.NaN : seconds.Max();

    private static Command ThroughputCommand()
    {
        Argument<string> conf = new("CONF") { DefaultValueFactory = _ => "fashion-mnist", Description = "The search; its rounds should have two shards of a second or more." };
        Option<string?> data = Shared.Data();
        Option<int> passes = new("--passes") { DefaultValueFactory = _ => 3, Description = "How often each is measured; medians are told." };
        Option<double> window = new("--window") { DefaultValueFactory = _ => 20, Description = "Seconds of each measurement." };
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Command command = new("throughput", "Images a second of a cluster with one and with two trainers, beside one and two bare engine processes in the same run.") { conf, data, passes, window, set, json };
        command.SetAction(parsed => Drilled<ThroughputResult>("throughput", () =>
        {
            string journal = Journal();
            SearchConfig config = ConfigLoader.Load(parsed.GetValue(conf)!, ["curriculum.order=random", "curriculum.fractions=[1.0]", "warmup.epochs=10000", .. parsed.GetValue(set) ?? []], parsed.GetValue(data));
            return InTemporaryFolder("drill", [], drill =>
            {
                ThroughputResult r = new Throughput(drill.Folder.Root, journal, parsed.GetValue(json) ? Console.Error.WriteLine : Console.WriteLine)
                    .RunAsync(config, parsed.GetValue(passes), TimeSpan.FromSeconds(parsed.GetValue(window))).GetAwaiter().GetResult();
                Console.WriteLine(parsed.GetValue(json) ? Line("throughput", r)
                    : Output.Text($"cluster {r.ClusterOne:0} -> {r.ClusterTwo:0} images/s (x {r.ClusterRatio:0.00}), bare engines {r.EngineOne:0} -> {r.EngineTwo:0} (x {r.EngineRatio:0.00}); the cluster reaches {r.Share:0.00} of it"));
                return ExitCode.Done;
            });
        }));
        return command;
    }

    private static Command PartitionsCommand()
    {
        Option<string> nodes = new("--nodes") { DefaultValueFactory = _ => "3,5", Description = "Sizes of the clusters: two coordinators, the rest trainers." };
        Option<string> down = new("--down") { DefaultValueFactory = _ => "0,20,60", Description = "Seconds that what was killed stays down." };
        Option<bool> json = Shared.Json();
        Command command = new("partitions", "Machines of their own (network namespaces, needs root): kills with downtime, links cut one way, in islands, flapping, with delay and loss.") { nodes, down, json };
        command.SetAction(parsed => Drilled<PartitionResult>("partitions", () =>
        {
            if (DrillNet.Unavailable is { } why)
            {
                Output.PrintText($"skipped: {why}");
                return ExitCode.Done;
            }

            string journal = Journal();
            return InTemporaryFolder("drill", LongDrill, drill =>
            {
                PartitionResult result = new Partitions(drill, Path.Combine(drill.Folder.Root, "nodes"), journal, parsed.GetValue(json) ? Console.Error.WriteLine : Console.WriteLine)
                    .RunAsync(ConfigLoader.Load("drill", LongDrill, null), [.. Numbers(parsed.GetValue(nodes)!).Select(n => (int)n)], Numbers(parsed.GetValue(down)!)).GetAwaiter().GetResult();
                foreach (string failure in result.Failures)
                    Console.Error.WriteLine(failure);
                if (parsed.GetValue(json))
                    Print("partitions", result);
                else
                    Output.PrintTable(["nodes", "fault", "for s", "progress after s", "and after its end s", "new terms"], result.Rows.Select(r => (IReadOnlyList<string>)[Output.Text($"{r.Nodes}"), r.Case, Output.Text($"{r.DownSeconds:0}"), Output.Text($"{r.AfterFault:0.0}"), Output.Text($"{r.AfterEnd:0.0}"), Output.Text($"{r.Terms}")]));
                if (!parsed.GetValue(json))
                    Output.PrintText(Output.Text($"{result.Rows.Count} cases, {result.Searches} searches, hashes {(result.HashesEqual ? "equal" : "DIFFERENT")}, {(result.OneWriter ? "one writer throughout" : "MORE THAN ONE WRITER")}, {result.Failures.Count} failures"));
                return result.HashesEqual && result.OneWriter && result.Failures.Count == 0 ? ExitCode.Done : ExitCode.Failed;
            });
        }));
        return command;
    }

    private static double[] Numbers(string list) => [.. list.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(n => double.TryParse(n, CultureInfo.InvariantCulture, out double v) && v >= 0 ? v : throw new UsageException($"'{list}': write numbers, separated by commas"))];

    /// <summary>The PostgreSQL of a drill; the searches that it compares with keep their journals in their folders.</summary>
    private static string Journal()
    {
        string journal = Environment.GetEnvironmentVariable("DANAS_JOURNAL") is { Length: > 0 } named ? named : throw new UsageException("a cluster needs PostgreSQL: eval \"$(./scripts/postgres.sh start)\", or run this drill by scripts/drill.sh");
        Environment.SetEnvironmentVariable("DANAS_JOURNAL", null);
        return journal;
    }

    /// <summary>What the kill loop compares with; not for users.</summary>
    private static Command PlainCommand()
    {
        Argument<string> file = new("FILE");
        Argument<string> setup = new("SETUP");
        Command command = new("plain", "The same work in one process with epoch checkpoints.") { file, setup };
        command.Hidden = true;
        command.SetAction(parsed => Shared.Guard(() => PlainScript.Run(parsed.GetValue(file)!, parsed.GetValue(setup)!)));
        return command;
    }

    private static Option<int> Seed() => new("--seed") { DefaultValueFactory = _ => 1, Description = "Draws the moments and the victims." };

    private static int Drilled<T>(string name, Func<int> run) => Shared.Guard(() => JsonSchemas.Printed<T>($"drill-{name}", Named) ? ExitCode.Done : run());

    private static string Line<T>(string name, T result) => JsonSchemas.Text($"drill-{name}", result, Named);

    private static void Print<T>(string name, T result) => Console.WriteLine(Line(name, result));

    private static int InTemporaryFolder(string configuration, IReadOnlyList<string> sets, Func<DrillRun, int> body)
    {
        if (!OperatingSystem.IsLinux())
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"drills need Linux: they read /proc and send signals"));
        string folder = Directory.CreateTempSubdirectory("danas-drill-").FullName;
        int code = body(new DrillRun(folder, configuration, sets));
        if (code == ExitCode.Done)
            Directory.Delete(folder, true);
        else
            Output.PrintText($"what was found is in {folder}");
        return code;
    }
}
