using System.Diagnostics;
using DaNas.Actors.Journals;
using DaNas.Domain.Configuration;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal.Postgres;

namespace DaNas.Drills;

/// <summary>One row of the matrix: seconds from the fault, and from its end, to the next stored round or score.</summary>
internal sealed record PartitionRow(int Nodes, string Case, double DownSeconds, double AfterFault, double AfterEnd, long Terms);

/// <summary>The matrix, and whether every search ended as on one machine, with one writer throughout.</summary>
internal sealed record PartitionResult(IReadOnlyList<PartitionRow> Rows, int Searches, bool HashesEqual, bool OneWriter,
    IReadOnlyList<string> Failures);

/// <summary>
/// Machines of their own (network namespaces) whose processes are killed and kept down, and whose links are cut: in one direction, in two
/// islands, flapping; and processes behind lines with delay and loss. PostgreSQL is one of the victims, through commands that the script
/// gives.
/// </summary>
internal sealed class Partitions(DrillRun drill, string folder, string journal, Action<string> say)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(4);

    private readonly List<PartitionRow> rows = [];
    private readonly List<string> failures = [];
    private int ended;
    private bool hashesEqual = true;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000",
        Justification = "Awaited and disposed; the analyzer does not see it.")]
    public async Task<PartitionResult> RunAsync(SearchConfig config, IReadOnlyList<int> sizes, IReadOnlyList<double> downtimes)
    {
        DrillEnd clean = drill.Clean("clean");
        say($"fault-free, on one machine: decision {clean.DecisionHash[..12]}, weights {clean.WeightsHash[..12]}");
        bool oneWriter = true;
        foreach (int size in sizes)
        {
            using DrillNet net = DrillNet.Build(["c0", "c1", .. Enumerable.Range(0, size - 2).Select(i => $"t{i}")]);
            await using DrillCluster cluster = await DrillCluster.StartAsync(
                Path.Combine(folder, $"nodes-{size}"), journal, new DrillLayout(2, size - 2) { Net = net, Projector = true });
            oneWriter &= await SearchThroughAsync(cluster, config, clean, async searching =>
            {
                await KillsAsync(cluster, searching, downtimes);
                await CutsAsync(cluster, net, searching);
            });
        }

        List<DelayProxy> lines = [];
        await using (DrillCluster slow = await DrillCluster.StartAsync(
            Path.Combine(folder, "nodes-slow"), journal, new DrillLayout(2, 2) { Via = port => Line(lines, port) }))
        {
            oneWriter &= await SearchThroughAsync(slow, config, clean, async searching => await CaseAsync(slow, searching, new(
                "links with 200 ms round-trip delay, 5 % of packets delayed by another 400 ms", 20, _ =>
                Set(lines, 100, 0.05), _ => Set(lines, 0, 0))));
        }

        lines.ForEach(l => l.Dispose());
        await using (DrillCluster lone = await DrillCluster.StartAsync(Path.Combine(folder, "nodes-lone"), journal, new DrillLayout(1, 2)))
        {
            oneWriter &= await SearchThroughAsync(lone, config, clean, async searching =>
                await CaseAsync(lone, searching, new("the only coordinator killed and restarted", 0, lone.Kill, lone.Start)));
            failures.AddRange(lone.UnitsRunAgain().Select(u => $"a lone coordinator killed: {u} was run again"));
        }

        return new(rows, ended, hashesEqual && ended > 0, oneWriter, failures);
    }

    private async Task<bool> SearchThroughAsync(DrillCluster cluster, SearchConfig config, DrillEnd clean, Func<Task, Task> strikes)
    {
        using ClusterSession client = cluster.Client();
        using CancellationTokenSource stop = new();
        DrillSearches searches = new(client, config, clean);
        Task searching = searches.RunAsync(stop.Token);
        await strikes(searching);
        await stop.CancelAsync();
        await DrillSearches.SeeThroughAsync(searching);
        ended += searches.Ended;
        failures.AddRange(searches.Failures);
        hashesEqual &= searches.Failures.Count == 0;
        bool oneWriter = true;
        using PostgresJournal reader = await PostgresJournal.OpenAsync(cluster.Server);
        foreach (string id in await reader.PersistenceIdsAsync())
        {
            long[] epochs = [.. (await reader.ReadAsync(id)).Select(e => e.Epoch)];
            if (epochs.SequenceEqual(epochs.Order()))
                continue;
            failures.Add($"{id}: an event of an earlier writer follows one of a later writer");
            oneWriter = false;
        }

        if (cluster.Projector is not null)
            await CheckProjectionAsync(cluster);
        return oneWriter;
    }

    /// <summary>Whatever happened, the read model ends where the journals do.</summary>
    private async Task CheckProjectionAsync(DrillCluster cluster)
    {
        IReadOnlyList<OverviewRow> rows = [];
        for (int tries = 0; tries < 40 && (rows.Count == 0 || rows.Any(r => r.Behind > 0)); tries++)
        {
            await Task.Delay(250);
            rows = await PostgresProjection.ReadAsync(cluster.Server);
        }

        using PostgresJournal journals = await PostgresJournal.OpenAsync(cluster.Server);
        if (rows.Count != (await journals.PersistenceIdsAsync()).Count || rows.Any(r => r.Behind > 0 || !r.IsOver))
            failures.Add($"the read model has not caught up with the journals: " +
                $"{string.Join(", ", rows.Select(r => Invariant($"{r.Overview.Id} {r.Overview.Phase} {r.Sequence} of {r.Head}")))}");
        say(Invariant($"read model: {rows.Count} searches, {rows.Sum(r => r.Behind)} events behind"));
    }

    private async Task KillsAsync(DrillCluster cluster, Task searching, IReadOnlyList<double> downtimes)
    {
        foreach (double down in downtimes)
        {
            await CaseAsync(cluster, searching, new("coordinator killed", down, cluster.Kill, cluster.Start) { MustGoOn = down > 0 });
            await CaseAsync(cluster, searching, new("trainer killed", down, _ => cluster.Kill(cluster.Nodes[2]), _ =>
                cluster.Start(cluster.Nodes[2]))
            { MustGoOn = down > 0 && cluster.Nodes.Count(n => n.Role == NodeSettings.Trainer) > 1 });
            await CaseAsync(cluster, searching, new("projector killed", down, _ => cluster.Kill(cluster.Projector!),
                _ => cluster.Start(cluster.Projector!))
            { MustGoOn = down > 0 });
            if (Environment.GetEnvironmentVariable("DANAS_DATABASE_KILL") is { Length: > 0 } kill
                && Environment.GetEnvironmentVariable("DANAS_DATABASE_START") is { Length: > 0 } start)
                await CaseAsync(cluster, searching, new("PostgreSQL killed", down, _ => Shell(kill), _ => Shell(start)));
        }
    }

    private async Task CutsAsync(DrillCluster cluster, DrillNet net, Task searching)
    {
        await CaseAsync(cluster, searching, new("one-way failure: the leader cannot send to the database", 20,
            leader => net.Cut(leader.Name, DrillNet.Home), _ => net.Heal())
        { MustGoOn = true });
        await CaseAsync(cluster, searching, new("one-way failure: the leader cannot send to the trainers", 20,
            leader => Each(cluster, leader, n => net.Cut(leader.Name, n.Name)), _ => net.Heal())
        { MustGoOn = true });
        // With more than one trainer the newest weights may all be on the leader's side; then nothing can go on.
        bool hasAll = cluster.Nodes.Count(n => n.Role == NodeSettings.Trainer) == 1;
        await CaseAsync(cluster, searching, new("partition: the leader with half of the trainers, the database with the others", 20,
            leader => Islands(cluster, net, leader, false), _ => net.Heal())
        { MustGoOn = hasAll });
        await CaseAsync(cluster, searching, new("partition: the leader with the database, the other coordinator with a trainer", 20,
            leader => Islands(cluster, net, leader, true), _ => net.Heal()));
        DrillNode trainer = cluster.Nodes.First(n => n.Role == NodeSettings.Trainer);
        await CaseAsync(cluster, searching, new("a trainer and the standby coordinator cannot reach each other", 10,
            leader => net.CutBoth(trainer.Name, cluster.Coordinators.First(c => c != leader).Name), _ => net.Heal())
        { MustGoOn = true });
        await CutTrainerAsync(cluster, net, searching, trainer);
        using CancellationTokenSource calm = new();
        Task flapping = Task.CompletedTask;
        await CaseAsync(cluster, searching, new("flapping: the leader is alternately unreachable and reachable for 3 s each", 30,
            leader => flapping = FlapAsync(cluster, net, leader, calm.Token), _ => calm.Cancel())
        { MustGoOn = true });
        await flapping;
    }

    /// <summary>A trainer that nobody reaches for a while; it must work again at once when it is reached, in the same process.</summary>
    private async Task CutTrainerAsync(DrillCluster cluster, DrillNet net, Task searching, DrillNode trainer)
    {
        int process = cluster.ProcessOf(trainer);
        DateTimeOffset healed = default;
        await CaseAsync(cluster, searching, new("a trainer is cut off from all others", 20, _ => net.CutOff(trainer.Name), _ =>
        {
            healed = DateTimeOffset.UtcNow; // Before: it may be back before the last route is.
            net.Heal();
        })
        { MustGoOn = cluster.Nodes.Count(n => n.Role == NodeSettings.Trainer) > 1 });
        double? back = cluster.Returned(trainer, healed);
        say(Invariant($"the trainer that was cut off works again after {back ?? double.NaN:0.00} s, " +
            $"{(cluster.ProcessOf(trainer) == process ? "in the same process" : "in ANOTHER process")}"));
        if (back is null || cluster.ProcessOf(trainer) != process)
            failures.Add($"{trainer.Name} was cut off and did not come back in the same process");
    }

    /// <summary>Strikes at a moment of progress, looks for the next one, ends the fault when its time is over, and looks again.</summary>
    private async Task CaseAsync(DrillCluster cluster, Task searching, Strike strike)
    {
        (string what, double seconds) = (strike.Name, strike.Seconds);
        DrillNode leader = await DrillSearches.BusyLeaderAsync(cluster, searching);
        long term = await cluster.TermAsync();
        strike.Begin(leader);
        DateTimeOffset at = DateTimeOffset.UtcNow;
        long struck = Stopwatch.GetTimestamp();
        Task<DateTimeOffset?> next = cluster.NextUsefulAsync(at, TimeSpan.FromSeconds(seconds) + Patience);
        TimeSpan rest = TimeSpan.FromSeconds(seconds) - Stopwatch.GetElapsedTime(struck);
        await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        strike.End(leader);
        DateTimeOffset over = DateTimeOffset.UtcNow;
        double? first = Since(at, await next);
        double? after = Since(over, await cluster.NextUsefulAsync(over, Patience));
        if (first is null || after is null)
            failures.Add($"{what}: no progress");
        if (strike.MustGoOn && !(first < seconds))
            failures.Add(Invariant($"{what}: nothing was stored during the fault"));
        await Task.Delay(Settle);
        PartitionRow row = new(cluster.Nodes.Count(n => n != cluster.Projector), what, seconds, first ?? double.NaN, after
            ?? double.NaN, await cluster.TermAsync() - term);
        rows.Add(row);
        say(Invariant($"{row.Nodes} nodes, {what}, {seconds:0} s: progress {row.AfterFault:0.0} s after it began, {row.AfterEnd:0.0} s " +
            $"after it ended; {row.Terms} new terms"));
    }

    private static async Task FlapAsync(DrillCluster cluster, DrillNet net, DrillNode leader, CancellationToken calm)
    {
        try
        {
            while (true)
            {
                Each(cluster, leader, n => net.CutBoth(leader.Name, n.Name));
                net.CutBoth(leader.Name, DrillNet.Home);
                await Task.Delay(3000, calm);
                net.Heal();
                await Task.Delay(3000, calm);
            }
        }
        catch (OperationCanceledException)
        {
            net.Heal();
        }
    }

    private static void Islands(DrillCluster cluster, DrillNet net, DrillNode leader, bool leaderHasDatabase)
    {
        DrillNode[] trainers = [.. cluster.Nodes.Where(n => n.Role == NodeSettings.Trainer)];
        HashSet<string> withLeader = [leader.Name, .. leaderHasDatabase
            ? trainers.Skip(1).Select(t => t.Name) : trainers.Take(trainers.Length / 2).Select(t => t.Name)];
        if (leaderHasDatabase)
            withLeader.Add(DrillNet.Home);
        string[] all = [.. cluster.Nodes.Select(n => n.Machine).Distinct(), DrillNet.Home];
        foreach (string a in all.Where(withLeader.Contains))
        {
            foreach (string b in all.Where(n => !withLeader.Contains(n)))
                net.CutBoth(a, b);
        }
    }

    private static void Each(DrillCluster cluster, DrillNode but, Action<DrillNode> act)
    {
        foreach (DrillNode node in cluster.Nodes.Where(n => n != but && n.Role == NodeSettings.Trainer))
            act(node);
    }

    private static int Line(List<DelayProxy> lines, int port)
    {
        lines.Add(new DelayProxy(port, lines.Count));
        return lines[^1].Port;
    }

    private static void Set(List<DelayProxy> lines, int milliseconds, double loss)
    {
        foreach (DelayProxy line in lines)
            (line.Delay, line.Loss) = (TimeSpan.FromMilliseconds(milliseconds), loss);
    }

    private static void Shell(string command)
    {
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { RedirectStandardOutput = true })
            ?? throw new UsageException($"'{command}' cannot be started");
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
    }

    private static double? Since(DateTimeOffset from, DateTimeOffset? to) => to is { } t ? Math.Round((t - from).TotalSeconds, 2) : null;
}
