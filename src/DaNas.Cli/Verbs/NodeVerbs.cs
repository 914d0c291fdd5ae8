using System.CommandLine;
using System.Net;
using DaNas.Actors.Cluster;
using DaNas.Cli.Presentation;
using DaNas.Reports;
using DaNas.Runtime.Blobs.Http;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>A cluster's verbs: node (one process of it), nodes (what is there).</summary>
internal static class NodeVerbs
{
    public static Option<string?> Cluster() => new("--cluster") { Description = "HOST:PORT of a running cluster's coordinators, separated by commas (or DANAS_CLUSTER)." };

    public static Option<string?> CertificatesFolder() => new("--certificates") { Description = "The folder that 'danas certificates issue' made for this node or operator (or DANAS_CERTIFICATES); may be left out on loopback." };

    /// <summary>The coordinators that were named; null where no cluster was.</summary>
    public static IReadOnlyList<NodeAddress>? Coordinators(string? option)
    {
        string? text = option ?? Environment.GetEnvironmentVariable("DANAS_CLUSTER");
        return string.IsNullOrEmpty(text) ? null : NodeAddress.ParseAll(text, "--cluster");
    }

    public static Certificates? Certificates(string? folder) => (folder ?? Environment.GetEnvironmentVariable("DANAS_CERTIFICATES")) is { Length: > 0 } path ? Runtime.Cluster.Certificates.Open(path) : null;

    public static Command Node()
    {
        Option<string> roles = new("--roles") { DefaultValueFactory = _ => "coordinator,trainer,projector", Description = "What this process does: coordinator, trainer, projector, or several." };
        Option<string> listen = new("--listen") { DefaultValueFactory = _ => "127.0.0.1:7411", Description = "ADDRESS:PORT of Akka.Remote to listen on." };
        Option<string?> http = new("--http") { Description = "ADDRESS:PORT of HTTPS (blobs, API, health) to listen on (default: that of --listen, 1,000 ports above)." };
        Option<string?> advertise = new("--advertise") { Description = "HOST:PORT where other nodes reach this one (default: what it listens on); HOST:PORT/HTTPPORT where the HTTPS port is not 1,000 above." };
        Option<string?> join = new("--join") { Description = "HOST:PORT of coordinators, separated by commas; not needed for a coordinator." };
        Option<string?> name = new("--name") { Description = "This node's name, in use once in its cluster (default: the machine's name and the port)." };
        Option<string> cluster = new("--cluster-name") { DefaultValueFactory = _ => "danas", Description = "Clusters that share a data base have different names." };
        Option<int> trainers = new("--trainers") { DefaultValueFactory = _ => 1, Description = "Trainer processes on this machine; trainers x threads should not exceed the cores." };
        Option<string?> devices = new("--devices") { Description = "CUDA devices, one trainer each, such as 0,1 (default: what a search's configuration says)." };
        Option<string?> certificates = CertificatesFolder();
        Option<string?> output = Shared.Out();
        Command command = new("node", "One process of a cluster: coordinates searches, trains, or both. DANAS_JOURNAL names the cluster's PostgreSQL. Exit code 3: the cluster refuses this node.") { roles, listen, http, advertise, join, name, cluster, trainers, devices, certificates, output };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            IPEndPoint at = EndPoint(parsed.GetValue(listen)!, "--listen");
            IPEndPoint web = parsed.GetValue(http) is { } other ? EndPoint(other, "--http") : at.Port + NodeAddress.HttpOffset <= IPEndPoint.MaxPort ? new IPEndPoint(at.Address, at.Port + NodeAddress.HttpOffset) : throw new UsageException($"--listen {at}: the HTTPS port would be above {IPEndPoint.MaxPort}; give --http ADDRESS:PORT");
            string host = at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any) ? Dns.GetHostName() : at.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{at.Address}]" : at.Address.ToString();
            string journal = Environment.GetEnvironmentVariable("DANAS_JOURNAL") ?? string.Empty;
            string[] deviceList = parsed.GetValue(devices)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
            using Certificates? own = Certificates(parsed.GetValue(certificates));
            NodeSettings settings = new NodeSettings(
                parsed.GetValue(name) ?? Output.Text($"{Dns.GetHostName()}-{at.Port}"), parsed.GetValue(cluster)!, at, web,
                parsed.GetValue(advertise) is { } reach ? NodeAddress.Parse(reach, "--advertise") : new NodeAddress(host, at.Port, web.Port), Shared.Folder(parsed, output))
            {
                Roles = parsed.GetValue(roles)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
                Join = NodeAddress.ParseAll(parsed.GetValue(join) ?? string.Empty, "--join"),
                Certificates = own,
                Journal = journal.Length > 0 ? new PostgresServer(journal) : null,
                Trainers = deviceList.Length > 0 ? deviceList.Length : parsed.GetValue(trainers),
                Devices = deviceList,
            }.Checked();
            using Interruption interruption = new();
            return await RunAsync(settings, interruption.Token);
        }));
        return command;
    }

    private static IPEndPoint EndPoint(string text, string option) => IPEndPoint.TryParse(text, out IPEndPoint? end) && end.Port > 0 ? end : throw new UsageException($"{option} {text}: write ADDRESS:PORT, such as 0.0.0.0:7411");

    public static Command Nodes()
    {
        Option<string?> cluster = Cluster();
        Option<string?> certificates = CertificatesFolder();
        Option<bool> json = Shared.Json();
        Argument<string> node = new("NODE") { Description = "A node's name." };
        Command list = new("ls", "Lists the cluster's nodes.") { cluster, certificates, json };
        list.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<IReadOnlyList<NodeStatus>>("nodes", Output.Json))
                return ExitCode.Done;
            using ClusterSession session = Session(parsed.GetValue(cluster), parsed.GetValue(certificates));
            return Print(await session.NodesAsync(stop), parsed.GetValue(json));
        }));
        Command all = new("nodes", "The nodes of a cluster.") { list };
        foreach ((string verb, NodeDuty duty, string what) in new[]
        {
            ("drain", NodeDuty.Draining, "Lets a node end what it runs and gives it nothing more."), ("quarantine", NodeDuty.Quarantined, "Takes a node's work away at once and gives it nothing more."),
            ("activate", NodeDuty.Active, "Gives a node work again."),
        })
        {
            Command set = new(verb, what) { node, cluster, certificates, json };
            set.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
            {
                if (JsonSchemas.Printed<IReadOnlyList<NodeStatus>>("nodes", Output.Json))
                    return ExitCode.Done;
                using ClusterSession session = Session(parsed.GetValue(cluster), parsed.GetValue(certificates));
                return Print(await session.SetDutyAsync(parsed.GetValue(node)!, duty, stop), parsed.GetValue(json));
            }));
            all.Subcommands.Add(set);
        }

        return all;
    }

    public static Command Searches()
    {
        Option<bool> json = Shared.Json();
        Command command = new("searches", "All searches of the data base that DANAS_JOURNAL names, from what a projector keeps up to date; works with no coordinator up.") { json };
        command.SetAction((parsed, cancel) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<IReadOnlyList<OverviewRow>>("searches", Output.Json))
                return ExitCode.Done;
            string journal = Environment.GetEnvironmentVariable("DANAS_JOURNAL") is { Length: > 0 } address ? address : throw new UsageException("'danas searches' reads a cluster's data base: set DANAS_JOURNAL; 'danas ls' lists the searches of a folder");
            PostgresServer server = new(journal);
            await server.PrepareAsync();
            IReadOnlyList<OverviewRow> rows = await PostgresProjection.ReadAsync(server, cancel);
            if (parsed.GetValue(json))
                Output.PrintJson("searches", rows);
            else if (rows.Count == 0)
                Output.PrintText("nothing projected yet; is a projector up? ('danas node --roles projector')");
            else
                Output.PrintTable(["search", "phase", "stage", "blocks", "images", "lost", "test accuracy", "events", "behind", "changed"], rows.Select(Cells));
            return ExitCode.Done;
        }));
        return command;
    }

    private static string[] Cells(OverviewRow row) =>
    [
        row.Overview.Id, row.Overview.Phase, row.Overview.Stage is { } stage ? Output.Text($"{stage} of {row.Overview.Stages}") : "-", Output.Text($"{row.Overview.Blocks} of {row.Overview.BlocksAtFirst}"), Output.Text($"{row.Overview.Images}"),
        Output.Text($"{row.Overview.LostSeconds:0.0} s"), Output.Text($"{row.Overview.TestAccuracy:0.0000}"), Output.Text($"{row.Sequence}"), Output.Text($"{row.Behind}"), Output.Text($"{row.Changed:yyyy-MM-dd HH:mm:ss}"),
    ];

    /// <summary>A session with the cluster that was named. Throws <see cref="UsageException"/> where none was.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The session has them.")]
    public static ClusterSession Session(string? cluster, string? certificates)
    {
        IReadOnlyList<NodeAddress> coordinators = Coordinators(cluster) ?? throw new UsageException("name the cluster: --cluster HOST:PORT, or DANAS_CLUSTER");
        Certificates? own = Certificates(certificates);
        if (own is null && coordinators.FirstOrDefault(c => !c.IsLoopback) is { } far)
            throw new UsageException($"--cluster {far}: beyond loopback a cluster is reached with certificates: --certificates DIR, which 'danas certificates issue' makes");
        return new ClusterSession(coordinators, own);
    }

    private static int Print(IReadOnlyList<NodeStatus> nodes, bool json)
    {
        if (json)
            Output.PrintJson("nodes", nodes);
        else
            Output.PrintTable(["node", "address", "trainers", "busy", "duty", "torch", "there"], nodes.Select(n => (string[])[n.Node.Name, n.Node.Address, Output.Text($"{n.Node.Trainers}"), Output.Text($"{n.Busy}"), n.Duty.ToString(), n.Node.Engine, n.Connected ? "yes" : "silent"]));
        return ExitCode.Done;
    }

    private static async Task<int> RunAsync(NodeSettings settings, CancellationToken interrupt)
    {
        settings.Folder.Create();
        using StateLog log = new(Path.Combine(settings.Folder.Root, $"node-{settings.Name}.jsonl"), line =>
        {
            if (line.Warning)
                Console.Error.WriteLine(line.ToText());
        });
        using BlobClient transfer = NodeHttp.Blobs(settings.Certificates);
        RefusalLog refusals = new(why => log.Write("/https", DateTimeOffset.UtcNow, new(Actors.Logging.LogEvent.LinkRefused, "Asking", "Refused") { Cause = why, IsWarning = true }), TimeProvider.System);
        await using NodeServer server = new(settings, refusals.Say);
        await server.StartAsync();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt);
        List<Task<int>> roles = [];
        if (settings.Coordinates || settings.Roles.Contains(NodeSettings.Trainer))
            roles.Add(new ClusterNode(settings, server, log, transfer, text => Chatter(settings, text)).RunAsync(stop.Token));
        if (settings.Roles.Contains(NodeSettings.Projector))
        {
            ProjectorRole projector = new(settings, log);
            if (settings.Roles.Count == 1)
                server.Ready = () => projector.IsFollowing;
            roles.Add(projector.RunAsync(stop.Token));
        }

        Output.PrintText($"node {settings.Name}: {string.Join(", ", settings.Roles)} of cluster {settings.Cluster}, on {settings.Advertise} and {settings.Url}; blobs and log in {settings.Folder.Root}; Ctrl-C ends it, and its work goes on elsewhere");
        if (settings.Certificates?.Warning is { } warning)
            await Console.Error.WriteLineAsync(warning);
        Task<int> first = await Task.WhenAny(roles);
        await stop.CancelAsync();
        await Task.WhenAll(roles);
        return interrupt.IsCancellationRequested ? ExitCode.Done : await first;
    }

    private static void Chatter(NodeSettings settings, string text)
    {
        try
        {
            File.AppendAllText(Path.Combine(settings.Folder.Root, $"trainers-{settings.Name}.log"), text + "\n");
        }
        catch (IOException)
        {
            // A full disk shows where it matters.
        }
    }
}
