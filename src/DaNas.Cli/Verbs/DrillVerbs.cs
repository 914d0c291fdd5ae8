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

namespace DaNas.Cli.Verbs;

/// <summary>Drills: real processes, real kills, compared with the clean search. Each prints one JSON line last.</summary>
internal static class DrillVerbs
{
    /// <summary>The drill search, long enough to strike it again and again.</summary>
    private static readonly string[] LongDrill = ["warmup.epochs=20", "stage.epochs=40"];

    private static readonly JsonSerializerOptions Named = new(
        Output.Json)
    { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static Command Drill() => new("drill", "Injects faults into real searches and compares the results with a fault-free search.")
        { SweepCommand(), KillLoopCommand(), SoakCommand(), FailoverCommand(), ThroughputCommand(), RenewalCommand(), PartitionsCommand(),
            PlainCommand() };

    private static Command SweepCommand()
    {
        Option<int> points = Shared.Option("--points", int.MaxValue,
            "Maximum number of chained fault points (default: until the end of the search).");
        Option<int> stride = Shared.Option("--stride", 1, "Number of events between fault points.");
        Option<int> independent = Shared.Option("--independent", 30, "Number of searches that are killed once, at a random point.");
        Option<int> seed = Seed();
        Command command = new("sweep", "Kills the search (kill -9) just before and just after events and blobs become durable.") { points,
            stride, independent, seed };
        command.SetAction(parsed => Drilled<SweepResult>("sweep", () => DrillHost.InTemporaryFolder("drill", [], drill =>
        {
            SweepResult result = new Sweep(drill, Console.WriteLine)
                .Run(parsed.GetValue(points), parsed.GetValue(stride), parsed.GetValue(independent), parsed.GetValue(seed));
            foreach (string failure in result.Failures)
                Console.WriteLine(failure);
            Print("sweep", result);
            return result.Different == 0 ? ExitCode.Done : ExitCode.Failed;
        })));
        return command;
    }

    private static Command KillLoopCommand()
    {
        Argument<string> conf = Shared.Argument("CONF", "quickstart", "The search to kill; its units should take at most two seconds.");
        Option<string[]> set = Shared.Set();
        Option<string> mean = Shared.Option("--mean", "5s", "Mean time between kills.");
        Option<double> minutes = Shared.Option<double>("--minutes", 30, "Duration in minutes.");
        Option<double> plain = Shared.Option<double>("--plain-minutes", 5,
            "Minutes for which a plain script with epoch checkpoints is killed in the same way; 0: skip it.");
        Option<int> seed = Seed();
        Command command = new("kill-loop", "Repeatedly kills a random process (kill -9) at a random moment.") { conf, set,
            mean, minutes, plain, seed };
        command.SetAction(parsed => Drilled<KillLoopResult>(
            "kill-loop", () => DrillHost.InTemporaryFolder(parsed.GetValue(conf)!, parsed.GetValue(set) ?? [], drill =>
        {
            KillLoopResult result = new KillLoop(drill, Console.WriteLine, ForecastOptions.Seconds(parsed.GetValue(mean)!),
                parsed.GetValue(seed)).Run(parsed.GetValue(minutes), parsed.GetValue(plain));
            foreach (string failure in result.Failures)
                Console.WriteLine(failure);
            Print("kill-loop", result);
            return result.Different == 0 ? ExitCode.Done : ExitCode.Failed;
        })));
        return command;
    }

    private static Command SoakCommand()
    {
        Option<double> minutes = Shared.Option<double>("--minutes", 30, "Duration in minutes.");
        Option<string[]> set = Shared.Set();
        Option<bool> cluster = Shared.Option<bool>("--cluster", "Uses a cluster of two coordinators, three trainers and PostgreSQL " +
            "without injected faults: there must be no change of leader and no trainer declared lost.");
        Command command =
            new("soak", "Runs one long search; memory, threads, open files, native tensors and " +
                "journal must not grow.") { minutes, set, cluster };
        command.SetAction(parsed => parsed.GetValue(cluster) ? ClusterSoak(parsed.GetValue(minutes)) : Drilled<IReadOnlyList<SoakFigure>>(
            "soak", () => DrillHost.InTemporaryFolder("drill", ["warmup.epochs=5000", .. parsed.GetValue(set) ?? []], drill =>
        {
            IReadOnlyList<SoakFigure> figures = new Soak(drill, Console.WriteLine).Run(parsed.GetValue(minutes));
            Output.PrintTable(["figure", "second quarter", "last quarter", "ratio", ""], figures.Select(f => (IReadOnlyList<string>)[f.Name,
                Invariant($"{f.Early:0.##}"), Invariant($"{f.Late:0.##}"), Invariant($"{f.Ratio:0.000}"), f.Bounded ? "ok" : "check"]));
            Print("soak", figures);
            return figures.Where(f => f.Name != "events an hour").All(f => f.Bounded) ? ExitCode.Done : ExitCode.Failed;
        })));
        return command;
    }

    private static int ClusterSoak(double minutes) => OnCluster(
        "cluster-soak", scene => new ClusterSoak(scene, Console.WriteLine).RunAsync(minutes), r => r.Failures);

    private static Command RenewalCommand()
    {
        Command command = new("renewal", "Renews the certificate of every node of a cluster while searches run; no unit may be lost.");
        command.SetAction(_ => OnCluster("renewal", scene => new Renewal(scene, Console.WriteLine).RunAsync(), r => r.Failures));
        return command;
    }

    /// <summary>A drill on two coordinators and three trainers, whose result is one JSON line.</summary>
    private static int OnCluster<T>(string name, Func<DrillScene, Task<T>> run,
        Func<T, IReadOnlyList<string>> failuresOf) => Drilled<T>(name, () =>
    {
        string journal = DrillHost.Journal();
        return DrillHost.InTemporaryFolder("drill", LongDrill, drill =>
        {
            T result = DrillHost.OnScene(drill, journal, 3, ConfigLoader.Load("drill", LongDrill, null), run);
            foreach (string failure in failuresOf(result))
                Console.Error.WriteLine(failure);
            Print(name, result);
            return failuresOf(result).Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
    });

    private static Command FailoverCommand()
    {
        Argument<string> conf = Shared.Argument("CONF", "drill", "Search to run; it should be long and have short units.");
        Option<string?> data = Shared.Data();
        Option<int> runs =
            Shared.Option("--runs", 10, "How many times each fault is injected: leader killed, leader frozen, trainer killed.");
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Option<int> trainers = Shared.Option("--trainers", 3,
            "Number of trainers in addition to the two coordinators; one trainer makes three nodes.");
        Command command = new("failover", "Measures failover with two coordinators, some trainers and PostgreSQL (DANAS_JOURNAL; " +
            "scripts/drill.sh starts one): the leader is killed and frozen, trainers are killed.") { conf, data,
            runs, trainers, set, json };
        command.SetAction(parsed => Drilled<FailoverResult>("failover", () =>
        {
            string journal = DrillHost.Journal();
            string name = parsed.GetValue(conf)!;
            string[] sets = [.. name == "drill" ? LongDrill : [], .. parsed.GetValue(data) is { } path
                ? (string[])[$"data.path={Path.GetFullPath(path)}"] : [], .. parsed.GetValue(set) ?? []];
            return DrillHost.InTemporaryFolder(name, sets, drill =>
            {
                int count = parsed.GetValue(trainers);
                FailoverResult result = DrillHost.OnScene(drill, journal, count, ConfigLoader.Load(name, sets, null), scene => new Failover(
                    scene, count, parsed.GetValue(json) ? Console.Error.WriteLine : Console.WriteLine).RunAsync(parsed.GetValue(runs)));
                foreach (string failure in result.Failures)
                    Console.Error.WriteLine(failure);
                Console.WriteLine(parsed.GetValue(json) ? Line("failover", result) : result.Sentence);
                return result.HashesEqual && result.Failures.Count == 0 ? ExitCode.Done : ExitCode.Failed;
            });
        }));
        return command;
    }

    private static Command ThroughputCommand()
    {
        Argument<string> conf = Shared.Argument("CONF", "fashion-mnist",
            "Search to run; its rounds should have two shards that take a second or more each.");
        Option<string?> data = Shared.Data();
        Option<int> passes = Shared.Option("--passes", 3, "Number of measurements of each; medians are reported.");
        Option<double> window = Shared.Option<double>("--window", 20, "Duration of each measurement in seconds.");
        Option<string[]> set = Shared.Set();
        Option<bool> json = Shared.Json();
        Command command =
            new("throughput", "Measures images per second of a cluster with one and with two trainers, compared with one and two bare " +
                "engine processes in the same run.") { conf, data, passes, window, set, json };
        command.SetAction(parsed => Drilled<ThroughputResult>("throughput", () =>
        {
            string journal = DrillHost.Journal();
            SearchConfig config = ConfigLoader.Load(parsed.GetValue(conf)!, ["curriculum.order=random", "curriculum.fractions=[1.0]",
                "warmup.epochs=10000", .. parsed.GetValue(set) ?? []], parsed.GetValue(data));
            return DrillHost.InTemporaryFolder("drill", [], drill =>
            {
                ThroughputResult r = new Throughput(drill.Folder.Root, journal, parsed.GetValue(json)
                    ? Console.Error.WriteLine : Console.WriteLine)
                    .RunAsync(config, parsed.GetValue(passes), TimeSpan.FromSeconds(parsed.GetValue(window))).GetAwaiter().GetResult();
                Console.WriteLine(parsed.GetValue(json) ? Line("throughput", r) : r.Sentence);
                return ExitCode.Done;
            });
        }));
        return command;
    }

    private static Command PartitionsCommand()
    {
        Option<string> nodes = Shared.Option("--nodes", "3,5",
            "Cluster sizes in nodes: two coordinators each, the other nodes are trainers.");
        Option<string> down = Shared.Option("--down", "0,20,60", "Downtime after a kill, in seconds.");
        Option<bool> json = Shared.Json();
        Command command = new("partitions", "Emulates separate machines with network namespaces (needs root) and injects kills with " +
            "downtime, one-way link failures, network partitions, flapping links, delay and packet loss.") { nodes, down, json };
        command.SetAction(parsed => Drilled<PartitionResult>("partitions", () =>
        {
            if (DrillNet.Unavailable is { } why)
            {
                Output.PrintText($"skipped: {why}");
                return ExitCode.Done;
            }

            string journal = DrillHost.Journal();
            return DrillHost.InTemporaryFolder("drill", LongDrill, drill =>
            {
                PartitionResult result = new Partitions(drill, Path.Combine(drill.Folder.Root, "nodes"), journal, parsed.GetValue(json)
                    ? Console.Error.WriteLine : Console.WriteLine)
                    .RunAsync(ConfigLoader.Load("drill", LongDrill, null), [.. Numbers(parsed.GetValue(nodes)!).Select(n => (int)n)],
                        Numbers(parsed.GetValue(down)!)).GetAwaiter().GetResult();
                foreach (string failure in result.Failures)
                    Console.Error.WriteLine(failure);
                if (parsed.GetValue(json))
                    Print("partitions", result);
                else
                    Output.PrintTable(["nodes", "fault", "duration, s", "progress after start, s", "progress after end, s", "new terms"],
                        result.Rows.Select(r => (IReadOnlyList<string>)[Invariant($"{r.Nodes}"), r.Case, Invariant($"{r.DownSeconds:0}"),
                        Invariant($"{r.AfterFault:0.0}"), Invariant($"{r.AfterEnd:0.0}"), Invariant($"{r.Terms}")]));
                if (!parsed.GetValue(json))
                    Output.PrintText(Invariant($"{result.Rows.Count} cases, {result.Searches} searches, hashes " +
                        $"{(result.HashesEqual ? "equal" : "DIFFERENT")}, " +
                        $"{(result.OneWriter ? "one writer throughout" : "MORE THAN ONE WRITER")}, {result.Failures.Count} failures"));
                return result.HashesEqual && result.OneWriter && result.Failures.Count == 0 ? ExitCode.Done : ExitCode.Failed;
            });
        }));
        return command;
    }

    private static double[] Numbers(string list) => [.. list.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(
        n => double.TryParse(n, CultureInfo.InvariantCulture, out double v) && v >= 0
        ? v : throw new UsageException($"'{list}': use numbers separated by commas"))];

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

    private static Option<int> Seed() => new("--seed")
    {
        DefaultValueFactory = _ => 1,
        Description = "Seed for the random choice of fault times and targets."
    };

    private static int Drilled<T>(string name, Func<int> run) =>
        Shared.Guard(() => JsonSchemas.Printed<T>($"drill-{name}", Named) ? ExitCode.Done : run());

    private static string Line<T>(string name, T result) => JsonSchemas.Text($"drill-{name}", result, Named);

    private static void Print<T>(string name, T result) => Console.WriteLine(Line(name, result));
}
