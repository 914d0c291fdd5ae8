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

/// <summary>One process of a drill's cluster: where it listens, and where others are told to reach it.</summary>
internal sealed record DrillNode(string Name, string Role, string Host, int Port, int Advertised)
{
    public string Listen => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    /// <summary>The machine in a net; by default each node is one.</summary>
    public string Machine { get; init; } = Name;

    public string Advertise => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Advertised}");
}

/// <summary>How a drill's cluster is laid out: on loopback, on machines of a net, or behind bad lines.</summary>
internal sealed record DrillLayout(int Coordinators, int Trainers)
{
    public DrillNet? Net { get; init; }

    /// <summary>Whether a projector runs beside the first coordinator.</summary>
    public bool Projector { get; init; }

    /// <summary>A port that leads to another one.</summary>
    public Func<int, int>? Via { get; init; }
}

/// <summary>
/// A cluster of this executable's processes on loopback, with folders of their own and a data base of its own in the PostgreSQL that DANAS_JOURNAL
/// names. Gone when it is disposed.
/// </summary>
internal sealed class DrillCluster : IAsyncDisposable
{
    /// <summary>As the shipped units for systemd and Kubernetes do with a node that has ended by itself.</summary>
    private static readonly TimeSpan RestartAfter = TimeSpan.FromSeconds(2);

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(1) };

    private readonly string folder;
    private readonly string address;
    private readonly string database;
    private readonly DrillNet? net;
    private readonly string secret;
    private readonly Dictionary<string, Process> processes = new(StringComparer.Ordinal);
    private readonly HashSet<string> down = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private bool disposed;

    private DrillCluster(string folder, string address, string database, DrillNet? net)
    {
        this.net = net;
        secret = Path.Combine(folder, "secret");
        this.folder = folder;
        this.address = net is null ? address : new UriBuilder(address) { Host = net.AddressOf(DrillNet.Home) }.Uri.ToString();
        this.database = database;
    }

    public List<DrillNode> Nodes { get; } = [];

    public DrillNode? Projector { get; private set; }

    public IEnumerable<DrillNode> Coordinators => Nodes.Where(n => n.Role == NodeSettings.Coordinator);

    public string[] Join => [.. Coordinators.Select(c => c.Advertise)];

    public PostgresServer Server => new(InDatabase(database));

    /// <summary>Starts coordinators and trainers. The journal's address must name a PostgreSQL in which data bases may be made.</summary>
    public static async Task<DrillCluster> StartAsync(string folder, string address, DrillLayout layout)
    {
        string database = $"drill_{Guid.NewGuid():N}";
        DrillCluster cluster = new(folder, address, database, layout.Net);
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(cluster.secret, LinkSecret.Nonce());
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(cluster.secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await cluster.ExecuteAsync("postgres", $"CREATE DATABASE {database}");
        await cluster.Server.PrepareAsync();
        for (int i = 0; i < layout.Coordinators + layout.Trainers; i++)
        {
            bool coordinates = i < layout.Coordinators;
            string name = string.Create(CultureInfo.InvariantCulture, $"{(coordinates ? 'c' : 't')}{(coordinates ? i : i - layout.Coordinators)}");
            int port = layout.Net is null ? FreePort() : 7411;
            cluster.Nodes.Add(new DrillNode(name, coordinates ? NodeSettings.Coordinator : NodeSettings.Trainer, layout.Net?.AddressOf(name) ?? "127.0.0.1", port, layout.Via?.Invoke(port) ?? port));
        }

        if (layout.Projector)
        {
            int port = layout.Net is null ? FreePort() : 7412;
            cluster.Projector = new DrillNode("p0", NodeSettings.Projector, cluster.Nodes[0].Host, port, port) { Machine = "c0" };
            cluster.Nodes.Add(cluster.Projector);
        }

        foreach (DrillNode node in cluster.Nodes)
            cluster.Start(node);
        return cluster;
    }

    public ClusterClient Client() => new(Join, LinkSecret.FromFile(secret));

    public void Start(DrillNode node)
    {
        string[] arguments =
        [
            "node", "--roles", node.Role, "--name", node.Name, "--listen", node.Listen, "--advertise", node.Advertise,
            "--join", string.Join(',', Join), "--out", Path.Combine(folder, node.Name), "--secret-file", secret,
        ];
        lock (gate)
        {
            if (disposed)
                return;
            Process process = DrillRun.Launch(net?.On(node.Machine) ?? [], arguments, ("DANAS_JOURNAL", node.Role == NodeSettings.Trainer ? string.Empty : InDatabase(database)));
            processes[node.Name] = process;
            down.Remove(node.Name);
            _ = SuperviseAsync(node, process);
        }
    }

    public string LogOf(DrillNode node) => Path.Combine(folder, node.Name, $"node-{node.Name}.jsonl");

    public int ProcessOf(DrillNode node) => processes[node.Name].Id;

    /// <summary>kill -9.</summary>
    public void Kill(DrillNode node)
    {
        Process process;
        lock (gate)
        {
            down.Add(node.Name);
            process = processes[node.Name];
        }

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
                return await Http.GetFromJsonAsync<LeaderView>(new Uri($"http://{c.Listen}/leader"), DomainJson.Stored);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return null;
            }
        }));
        LeaderView? newest = views.OfType<LeaderView>().Where(v => v.Leader is not null).MaxBy(v => v.Epoch);
        return newest is null ? null : Coordinators.FirstOrDefault(c => newest.Leader!.EndsWith($"//{c.Advertise}", StringComparison.Ordinal));
    }

    /// <summary>When the next event that is progress was stored after a moment, by the journal; null where none was within the patience.</summary>
    public async Task<DateTimeOffset?> NextUsefulAsync(DateTimeOffset after, TimeSpan patience)
    {
        long started = Stopwatch.GetTimestamp();
        NpgsqlConnection? connection = null;
        while (Stopwatch.GetElapsedTime(started) < patience)
        {
            try
            {
                connection ??= await Server.OpenAsync();
                await using NpgsqlCommand command = new("SELECT min(created) FROM journal WHERE created > $1 AND manifest IN ('round-completed/1', 'block-scored/1')", connection);
                command.Parameters.Add(new() { Value = after.UtcTicks });
                if (await command.ExecuteScalarAsync() is long ticks)
                {
                    await connection.DisposeAsync();
                    return new DateTimeOffset(ticks, TimeSpan.Zero);
                }
            }
            catch (Exception e) when (e is NpgsqlException or Actors.Journals.JournalException or IOException)
            {
                if (connection is not null)
                    await connection.DisposeAsync();
                connection = null; // The data base is one of the victims.
            }

            await Task.Delay(20);
        }

        if (connection is not null)
            await connection.DisposeAsync();
        return null;
    }

    /// <summary>The newest term of leadership.</summary>
    public async Task<long> TermAsync()
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                await using NpgsqlConnection connection = await Server.OpenAsync();
                await using NpgsqlCommand command = new("SELECT max(epoch) FROM danas_lease", connection);
                return await command.ExecuteScalarAsync() is long term ? term : 0;
            }
            catch (Actors.Journals.JournalException) when (tries < 60)
            {
                await Task.Delay(1000);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (gate)
            disposed = true;
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

    private async Task SuperviseAsync(DrillNode node, Process process)
    {
        try
        {
            await process.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            return; // Killed, and disposed of.
        }

        await Task.Delay(RestartAfter);
        lock (gate)
        {
            if (!down.Contains(node.Name) && processes[node.Name] == process)
                Start(node);
        }
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

    /// <summary>A port of loopback that nobody listens on just now.</summary>
    public static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
