using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Cli.Configuration;
using DaNas.Cli.Nodes;
using DaNas.Domain.Values;
using Npgsql;

namespace DaNas.Cli.Drills;

/// <summary>One process of a drill's cluster.</summary>
internal sealed record DrillNode(string Name, string Role, int Port);

/// <summary>
/// A cluster of this executable's processes on loopback, with folders of their own and a data base of its own in the PostgreSQL that DANAS_JOURNAL
/// names. Gone when it is disposed.
/// </summary>
internal sealed class DrillCluster : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(1) };

    private readonly string folder;
    private readonly string address;
    private readonly string database;
    private readonly Dictionary<string, Process> processes = new(StringComparer.Ordinal);

    private DrillCluster(string folder, string address, string database)
    {
        this.folder = folder;
        this.address = address;
        this.database = database;
    }

    public List<DrillNode> Nodes { get; } = [];

    public IEnumerable<DrillNode> Coordinators => Nodes.Where(n => n.Role == NodeSettings.Coordinator);

    public string[] Join => [.. Coordinators.Select(c => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{c.Port}"))];

    public PostgresServer Server => new(InDatabase(database));

    /// <summary>Starts coordinators and trainers. DANAS_JOURNAL must name a PostgreSQL in which data bases may be made.</summary>
    public static async Task<DrillCluster> StartAsync(string folder, string address, int coordinators, int trainers)
    {
        string database = $"drill_{Guid.NewGuid():N}";
        DrillCluster cluster = new(folder, address, database);
        await cluster.ExecuteAsync("postgres", $"CREATE DATABASE {database}");
        await cluster.Server.PrepareAsync();
        for (int i = 0; i < coordinators; i++)
            cluster.Nodes.Add(new DrillNode($"c{i}", NodeSettings.Coordinator, FreePort()));
        for (int i = 0; i < trainers; i++)
            cluster.Nodes.Add(new DrillNode($"t{i}", NodeSettings.Trainer, FreePort()));
        foreach (DrillNode node in cluster.Nodes)
            cluster.Start(node);
        return cluster;
    }

    public ClusterClient Client() => new(Join, LinkSecret.None);

    public void Start(DrillNode node)
    {
        string[] arguments =
        [
            "node", "--roles", node.Role, "--name", node.Name, "--listen", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{node.Port}"),
            "--join", string.Join(',', Join), "--out", Path.Combine(folder, node.Name),
        ];
        processes[node.Name] = DrillRun.Launch(arguments, ("DANAS_JOURNAL", node.Role == NodeSettings.Coordinator ? InDatabase(database) : string.Empty));
    }

    public int ProcessOf(DrillNode node) => processes[node.Name].Id;

    /// <summary>kill -9.</summary>
    public void Kill(DrillNode node)
    {
        Process process = processes[node.Name];
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    public void Freeze(DrillNode node) => Signal(node, "-STOP");

    public void Thaw(DrillNode node) => Signal(node, "-CONT");

    /// <summary>The coordinator that leads now; null where nobody does, or nobody can say.</summary>
    public async Task<DrillNode?> LeaderAsync()
    {
        LeaderView?[] views = await Task.WhenAll(Coordinators.Select(async c =>
        {
            try
            {
                return await Http.GetFromJsonAsync<LeaderView>(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{c.Port}/leader")), DomainJson.Stored);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return null;
            }
        }));
        LeaderView? newest = views.OfType<LeaderView>().Where(v => v.Leader is not null).MaxBy(v => v.Epoch);
        return newest is null ? null : Coordinators.FirstOrDefault(c => newest.Leader!.EndsWith(string.Create(CultureInfo.InvariantCulture, $":{c.Port}"), StringComparison.Ordinal));
    }

    /// <summary>When the next event that is progress was stored after a moment, by the journal; null where none was within the patience.</summary>
    public async Task<DateTimeOffset?> NextUsefulAsync(DateTimeOffset after, TimeSpan patience)
    {
        long started = Stopwatch.GetTimestamp();
        await using NpgsqlConnection connection = await Server.OpenAsync();
        while (Stopwatch.GetElapsedTime(started) < patience)
        {
            await using NpgsqlCommand command = new("SELECT min(created) FROM journal WHERE created > $1 AND manifest IN ('round-completed/1', 'block-scored/1')", connection);
            command.Parameters.Add(new() { Value = after.UtcTicks });
            if (await command.ExecuteScalarAsync() is long ticks)
                return new DateTimeOffset(ticks, TimeSpan.Zero);
            await Task.Delay(20);
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DrillNode node in Nodes)
        {
            Process process = processes[node.Name];
            try
            {
                process.Kill(true);
                await process.WaitForExitAsync();
            }
            catch (InvalidOperationException)
            {
                // It is dead already.
            }

            process.Dispose();
        }

        await ExecuteAsync("postgres", $"DROP DATABASE {database} WITH (FORCE)");
    }

    private void Signal(DrillNode node, string signal)
    {
        using Process kill = Process.Start("kill", [signal, processes[node.Name].Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private string InDatabase(string name)
    {
        int slash = address.LastIndexOf('/');
        return address.Contains("://", StringComparison.Ordinal) && slash > address.IndexOf("://", StringComparison.Ordinal) + 2
            ? $"{address[..slash]}/{name}"
            : throw new UsageException("DANAS_JOURNAL must be written as postgres://USER@HOST:PORT/DATABASE for a drill");
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "Names made here.")]
    private async Task ExecuteAsync(string name, string sql)
    {
        await using NpgsqlConnection connection = await new PostgresServer(InDatabase(name)).OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
