using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Runtime.Processes;
using Npgsql;

namespace DaNas.Drills;

/// <summary>
/// A cluster of this executable's processes on loopback, with folders of their own and a data base of its own in the PostgreSQL that
/// DANAS_JOURNAL names. Gone when it is disposed.
/// </summary>
internal sealed partial class DrillCluster : IAsyncDisposable
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
            string name = Invariant($"{(coordinates ? 'c' : 't')}{(coordinates ? i : i - layout.Coordinators)}");
            (int port, int web) = layout.Net is null ? (FreePort(), FreePort()) : (7411, 8411);
            string host = layout.Net?.AddressOf(name) ?? "127.0.0.1";
            cluster.Nodes.Add(new DrillNode(name, coordinates ? NodeSettings.Coordinator : NodeSettings.Trainer, host, port,
                web)
            { Advertised = new(host, layout.Via?.Invoke(port) ?? port, layout.Via?.Invoke(web) ?? web) });
        }

        if (layout.Projector)
        {
            (int port, int web) = layout.Net is null ? (FreePort(), FreePort()) : (7412, 8412);
            cluster.Projector = new DrillNode("p0", NodeSettings.Projector, cluster.Nodes[0].Host, port, web)
            {
                Machine = "c0",
                Advertised = new(cluster.Nodes[0].Host, port, web)
            };
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
            Process process = ThisProgram.Launch(ThisProgram.Start(arguments, net?.On(node.Machine) ?? []),
                ("DANAS_JOURNAL", node.Role == NodeSettings.Trainer ? string.Empty : InDatabase(database)));
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

    /// <summary>As an operator ends a node (SIGTERM); waits for its end.</summary>
    public async Task StopAsync(DrillNode node)
    {
        Process process;
        lock (gate)
        {
            down.Add(node.Name);
            process = processes[node.Name];
        }

        Signal(node, "-TERM");
        await process.WaitForExitAsync();
        process.Dispose();
    }

    public void Freeze(DrillNode node) => Signal(node, "-STOP");

    public void Thaw(DrillNode node) => Signal(node, "-CONT");

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
