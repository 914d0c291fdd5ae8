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
    public static Option<string?> Cluster() => Shared.Option<string?>("--cluster",
        "HOST:PORT of the coordinators of a running cluster, separated by commas (or set DANAS_CLUSTER).");

    public static Option<string?> CertificatesFolder() => Shared.Option<string?>("--certificates",
        "Folder created by 'danas certificates issue' for this node or operator (or set DANAS_CERTIFICATES); can be omitted on loopback.");

    public static Command Node()
    {
        Option<string> roles = Shared.Option("--roles", "coordinator,trainer,projector",
            "Roles of this process: coordinator, trainer, projector, or several, separated by commas.");
        Option<string> listen = Shared.Option("--listen", "127.0.0.1:7411", "ADDRESS:PORT on which Akka.Remote listens.");
        Option<string?> http = Shared.Option<string?>("--http",
            "ADDRESS:PORT on which HTTPS (blobs, API, health) listens (default: the --listen address with its port + 1,000).");
        Option<string?> advertise = Shared.Option<string?>("--advertise", "HOST:PORT at which other nodes reach this one (default: the " +
            "--listen address, or the host name if that is a wildcard); HOST:PORT/HTTPPORT if the HTTPS port is not PORT + 1,000.");
        Option<string?>
            join = new("--join") { Description = "HOST:PORT of coordinators, separated by commas; not needed for a coordinator." };
        Option<string?> name = Shared.Option<string?>("--name", "Name of this node, unique in its cluster (default: host name and port).");
        Option<string> cluster = Shared.Option("--cluster-name", "danas",
            "Name of the cluster; clusters that share a database must have different names.");
        Option<int> trainers = Shared.Option("--trainers", 1,
            "Trainer processes on this machine; trainers x threads should not exceed the cores.");
        Option<string?> devices = Shared.Option<string?>("--devices",
            "CUDA devices, one trainer each, for example 0,1 (default: as configured in the search).");
        Option<string?> certificates = CertificatesFolder();
        Option<string?> output = Shared.Out();
        Command command =
            new("node", "Runs one process of a cluster, which coordinates searches, trains, or both. DANAS_JOURNAL specifies the " +
                "cluster's PostgreSQL database. Exits with code 3 if the cluster rejects this node.") { roles, listen, http,
                advertise, join, name, cluster,
            trainers, devices, certificates, output };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            IPEndPoint at = ClusterAccess.EndPoint(parsed.GetValue(listen)!, "--listen");
            IPEndPoint web = parsed.GetValue(http) is { } other ? ClusterAccess.EndPoint(other, "--http")
                : at.Port + NodeAddress.HttpOffset <= IPEndPoint.MaxPort ? new IPEndPoint(at.Address, at.Port + NodeAddress.HttpOffset)
                : throw new UsageException($"--listen {at}: the HTTPS port would be above {IPEndPoint.MaxPort}; " +
                    $"specify --http ADDRESS:PORT");
            string host = at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any) ? Dns.GetHostName()
                : at.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{at.Address}]" : at.Address.ToString();
            string journal = Environment.GetEnvironmentVariable("DANAS_JOURNAL") ?? string.Empty;
            string[] deviceList = parsed.GetValue(devices)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
            using Certificates? own = ClusterAccess.Certificates(parsed.GetValue(certificates));
            NodeSettings settings = new NodeSettings(
                parsed.GetValue(name) ?? Invariant($"{Dns.GetHostName()}-{at.Port}"), parsed.GetValue(cluster)!, at, web,
                parsed.GetValue(advertise) is { } reach ? NodeAddress.Parse(reach, "--advertise")
                    : new NodeAddress(host, at.Port, web.Port), Shared.Folder(parsed, output))
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

    public static Command Nodes()
    {
        Option<string?> cluster = Cluster();
        Option<string?> certificates = CertificatesFolder();
        Option<bool> json = Shared.Json();
        Argument<string> node = Shared.Argument<string>("NODE", "A node's name.");
        Command list = new("ls", "Lists the cluster's nodes.") { cluster, certificates, json };
        list.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<IReadOnlyList<NodeStatus>>("nodes", Output.Json))
                return ExitCode.Done;
            using ClusterSession session = ClusterAccess.Session(parsed.GetValue(cluster), parsed.GetValue(certificates));
            return Print(await session.NodesAsync(stop), parsed.GetValue(json));
        }));
        Command all = new("nodes", "Commands for the nodes of a cluster.") { list };
        foreach ((string verb, NodeDuty duty, string what) in new[]
        {
            ("drain", NodeDuty.Draining, "Lets a node finish its current units and assigns it no new ones."),
                ("quarantine", NodeDuty.Quarantined, "Withdraws all units from a node immediately and assigns it no new ones."),
            ("activate", NodeDuty.Active, "Resumes assigning units to a node."),
        })
        {
            Command set = new(verb, what) { node, cluster, certificates, json };
            set.SetAction((parsed, stop) => Shared.GuardAsync(async () =>
            {
                if (JsonSchemas.Printed<IReadOnlyList<NodeStatus>>("nodes", Output.Json))
                    return ExitCode.Done;
                using ClusterSession session = ClusterAccess.Session(parsed.GetValue(cluster), parsed.GetValue(certificates));
                return Print(await session.SetDutyAsync(parsed.GetValue(node)!, duty, stop), parsed.GetValue(json));
            }));
            all.Subcommands.Add(set);
        }

        return all;
    }

    public static Command Searches()
    {
        Option<bool> json = Shared.Json();
        Command command = new("searches", "Lists all searches in the database specified by DANAS_JOURNAL, from the overview that a " +
            "projector maintains; works without a running coordinator.") { json };
        command.SetAction((parsed, cancel) => Shared.GuardAsync(async () =>
        {
            if (JsonSchemas.Printed<IReadOnlyList<OverviewRow>>("searches", Output.Json))
                return ExitCode.Done;
            string journal = Environment.GetEnvironmentVariable(
                "DANAS_JOURNAL") is { Length: > 0 } address ? address : throw new UsageException(
                "'danas searches' reads the database of a cluster: set DANAS_JOURNAL; use 'danas ls' to list the searches in a folder");
            PostgresServer server = new(journal);
            await server.PrepareAsync();
            IReadOnlyList<OverviewRow> rows = await PostgresProjection.ReadAsync(server, cancel);
            if (parsed.GetValue(json))
                Output.PrintJson("searches", rows);
            else if (rows.Count == 0)
                Output.PrintText("no searches in the overview yet; is a projector running? ('danas node --roles projector')");
            else
                Output.PrintTable(["search", "phase", "stage", "blocks", "images", "lost", "test accuracy", "events", "behind",
                    "changed"], rows.Select(Cells));
            return ExitCode.Done;
        }));
        return command;
    }

    private static string[] Cells(OverviewRow row) =>
    [
        row.Overview.Id, row.Overview.Phase, row.Overview.Stage is { } stage ? Invariant($"{stage} of {row.Overview.Stages}") : "-",
            Invariant($"{row.Overview.Blocks} of {row.Overview.BlocksAtFirst}"), Invariant($"{row.Overview.Images}"),
        Invariant($"{row.Overview.LostSeconds:0.0} s"), Invariant($"{row.Overview.TestAccuracy:0.0000}"), Invariant($"{row.Sequence}"),
            Invariant($"{row.Behind}"), Invariant($"{row.Changed:yyyy-MM-dd HH:mm:ss}"),
    ];

    private static int Print(IReadOnlyList<NodeStatus> nodes, bool json)
    {
        if (json)
            Output.PrintJson("nodes", nodes);
        else
            Output.PrintTable(["node", "address", "trainers", "busy", "duty", "torch", "connected"], nodes.Select(n => (
                string[])[n.Node.Name, n.Node.Address, Invariant($"{n.Node.Trainers}"), Invariant($"{n.Busy}"), n.Duty.ToString(),
                n.Node.Engine, n.Connected ? "yes" : "silent"]));
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
        RefusalLog refusals = new(why => log.Write("/https", DateTimeOffset.UtcNow,
            new(Actors.Logging.LogEvent.LinkRefused, "Asking", "Refused") { Cause = why, IsWarning = true }), TimeProvider.System);
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

        Output.PrintText($"node {settings.Name}: {string.Join(", ", settings.Roles)} of cluster {settings.Cluster}, on " +
            $"{settings.Advertise} and {settings.Url}; blobs and log in {settings.Folder.Root}; Ctrl-C stops it, and its work " +
            $"continues on other nodes");
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
