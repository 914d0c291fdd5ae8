using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DaNas.Journal.Postgres;
using DaNas.Cli.Configuration;
using DaNas.Cli.Nodes;
using Npgsql;

namespace DaNas.Cli.Drills;

/// <summary>
/// A cluster of this executable's processes on loopback, with folders of their own and a data base of its own in the PostgreSQL that DANAS_JOURNAL
/// names. Gone when it is disposed.
/// </summary>
internal sealed class DrillCluster : IAsyncDisposable
{
    /// <summary>As the shipped units for systemd and Kubernetes do with a node that has ended by itself.</summary>
    private static readonly TimeSpan RestartAfter = TimeSpan.FromSeconds(2);

    private readonly string folder;
    private readonly string address;
    private readonly string database;
    private readonly DrillNet? net;
    private readonly string authority;
    private Certificates? certificates;
    private HttpClient? http;
    private readonly Dictionary<string, Process> processes = new(StringComparer.Ordinal);
    private readonly HashSet<string> down = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private bool disposed;

    private DrillCluster(string folder, string address, string database, DrillNet? net)
    {
        this.net = net;
        authority = Path.Combine(folder, "authority");
        this.folder = folder;
        this.address = net is null ? address : new UriBuilder(address) { Host = net.AddressOf(DrillNet.Home) }.Uri.ToString();
        this.database = database;
    }

    public List<DrillNode> Nodes { get; } = [];

    public DrillNode? Projector { get; private set; }

    public IEnumerable<DrillNode> Coordinators => Nodes.Where(n => n.Role == NodeSettings.Coordinator);

    public IReadOnlyList<NodeAddress> Join => [.. Coordinators.Select(c => c.Advertised)];

    public PostgresServer Server => new(InDatabase(database));

    /// <summary>Starts coordinators and trainers. The journal's address must name a PostgreSQL in which data bases may be made.</summary>
    public static async Task<DrillCluster> StartAsync(string folder, string address, DrillLayout layout)
    {
        string database = $"drill_{Guid.NewGuid():N}";
        DrillCluster cluster = new(folder, address, database, layout.Net);
        Directory.CreateDirectory(folder);
        CertificateAuthority.Create(cluster.authority, "drill", 2).Dispose();
        cluster.Issue("operator", "127.0.0.1");
        cluster.certificates = Certificates.Open(cluster.CertificatesOf("operator"));
        cluster.http = NodeHttp.Client(cluster.certificates, TimeSpan.FromSeconds(1));
        await cluster.ExecuteAsync("postgres", $"CREATE DATABASE {database}");
        await cluster.Server.PrepareAsync();
        for (int i = 0; i < layout.Coordinators + layout.Trainers; i++)
        {
            bool coordinates = i < layout.Coordinators;
            string name = string.Create(CultureInfo.InvariantCulture, $"{(coordinates ? 'c' : 't')}{(coordinates ? i : i - layout.Coordinators)}");
            (int port, int web) = layout.Net is null ? (FreePort(), FreePort()) : (7411, 8411);
            string host = layout.Net?.AddressOf(name) ?? "127.0.0.1";
            cluster.Nodes.Add(new DrillNode(name, coordinates ? NodeSettings.Coordinator : NodeSettings.Trainer, host, port, web) { Advertised = new(host, layout.Via?.Invoke(port) ?? port, layout.Via?.Invoke(web) ?? web) });
        }

        if (layout.Projector)
        {
            (int port, int web) = layout.Net is null ? (FreePort(), FreePort()) : (7412, 8412);
            cluster.Projector = new DrillNode("p0", NodeSettings.Projector, cluster.Nodes[0].Host, port, web) { Machine = "c0", Advertised = new(cluster.Nodes[0].Host, port, web) };
            cluster.Nodes.Add(cluster.Projector);
        }

        foreach (DrillNode node in cluster.Nodes)
        {
            cluster.Issue(node.Name, node.Host);
            cluster.Start(node);
        }

        return cluster;
    }

    public ClusterSession Client() => new(Join, certificates);

    public string CertificatesOf(string name) => Path.Combine(folder, $"certificates-{name}");

    /// <summary>Another certificate for a node, as a renewal makes it.</summary>
    public void Issue(string name, string host)
    {
        using CertificateAuthority issuing = CertificateAuthority.Open(authority);
        issuing.Issue(name, [host], CertificatesOf(name), 2);
    }

    public void Start(DrillNode node)
    {
        string[] arguments =
        [
            "node", "--roles", node.Role, "--name", node.Name, "--listen", node.Listen, "--http", node.Http, "--advertise", node.Advertise,
            "--join", string.Join(',', Join), "--out", Path.Combine(folder, node.Name), "--certificates", CertificatesOf(node.Name),
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
        DrillNode?[] leading = await Task.WhenAll(Coordinators.Select(async c =>
        {
            try
            {
                using HttpResponseMessage answer = await http!.GetAsync(new Uri($"https://{c.Http}/leader"));
                return answer.IsSuccessStatusCode ? c : null;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return null;
            }
        }));
        return leading.FirstOrDefault(c => c is not null);
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
                await using NpgsqlCommand command = new("SELECT max(epoch) FROM danas_lease WHERE name LIKE '%singleton%'", connection);
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

        http?.Dispose();
        certificates?.Dispose();
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
