using System.CommandLine;
using System.Net;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Cli.Configuration;
using DaNas.Cli.Nodes;
using DaNas.Cli.Running;
using DaNas.Storage.Http;

namespace DaNas.Cli.Verbs;

/// <summary>A cluster's verbs: node (one process of it), nodes (what is there).</summary>
internal static class NodeVerbs
{
    public static Option<string?> Cluster() => new("--cluster") { Description = "HOST:PORT of a running cluster's coordinators, separated by commas (or DANAS_CLUSTER)." };

    public static Option<string?> SecretFile() => new("--secret-file") { Description = "The cluster's secret, the same file on every node (or DANAS_SECRET_FILE); may be left out on loopback." };

    /// <summary>The coordinators that were named; null where no cluster was.</summary>
    public static IReadOnlyList<string>? Coordinators(string? option)
    {
        string? text = option ?? Environment.GetEnvironmentVariable("DANAS_CLUSTER");
        return string.IsNullOrEmpty(text) ? null : [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(c => NodeSettings.HostAndPort(c, "--cluster"))];
    }

    public static LinkSecret Secret(string? file) => (file ?? Environment.GetEnvironmentVariable("DANAS_SECRET_FILE")) is { Length: > 0 } path ? LinkSecret.FromFile(path) : LinkSecret.None;

    public static Command Node()
    {
        Option<string> roles = new("--roles") { DefaultValueFactory = _ => "coordinator,trainer,projector", Description = "What this process does: coordinator, trainer, projector, or several." };
        Option<string> listen = new("--listen") { DefaultValueFactory = _ => "127.0.0.1:7411", Description = "ADDRESS:PORT to listen on." };
        Option<string?> advertise = new("--advertise") { Description = "HOST:PORT where other nodes reach this one (default: what it listens on)." };
        Option<string?> join = new("--join") { Description = "HOST:PORT of coordinators, separated by commas; not needed for a coordinator." };
        Option<string?> name = new("--name") { Description = "This node's name (default: the machine's name and the port)." };
        Option<string> cluster = new("--cluster-name") { DefaultValueFactory = _ => "danas", Description = "Clusters that share a data base have different names." };
        Option<int> trainers = new("--trainers") { DefaultValueFactory = _ => 1, Description = "Trainer processes on this machine; trainers x threads should not exceed the cores." };
        Option<string?> devices = new("--devices") { Description = "CUDA devices, one trainer each, such as 0,1 (default: what a search's configuration says)." };
        Option<string?> secret = SecretFile();
        Option<string?> output = Shared.Out();
        Option<string?> host = RunVerbs.Host();
        Command command = new("node", "One process of a cluster: coordinates searches, trains, or both. DANAS_JOURNAL names the cluster's PostgreSQL.") { roles, listen, advertise, join, name, cluster, trainers, devices, secret, host, output };
        command.SetAction((parsed, _) => Shared.GuardAsync(async () =>
        {
            IPEndPoint at = IPEndPoint.TryParse(parsed.GetValue(listen)!, out IPEndPoint? end) && end.Port > 0 ? end : throw new UsageException($"--listen {parsed.GetValue(listen)}: write ADDRESS:PORT, such as 0.0.0.0:7411");
            string reach = NodeSettings.HostAndPort(parsed.GetValue(advertise) ?? (at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any) ? Output.Text($"{Dns.GetHostName()}:{at.Port}") : at.ToString()), "--advertise");
            string journal = Environment.GetEnvironmentVariable("DANAS_JOURNAL") ?? string.Empty;
            string[] deviceList = parsed.GetValue(devices)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
            NodeSettings settings = new NodeSettings(
                parsed.GetValue(name) ?? Output.Text($"{Dns.GetHostName()}-{at.Port}"), parsed.GetValue(cluster)!, at, $"http://{reach}",
                [.. (parsed.GetValue(join) ?? string.Empty).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(j => NodeSettings.HostAndPort(j, "--join"))],
                Secret(parsed.GetValue(secret)), Shared.Folder(parsed, output))
            {
                Roles = parsed.GetValue(roles)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
                Journal = journal.Length > 0 ? new PostgresServer(journal) : null,
                Trainers = deviceList.Length > 0 ? deviceList.Length : parsed.GetValue(trainers),
                Devices = deviceList,
                Host = Hosts.Choose(parsed.GetValue(host)),
            }.Checked();
            using Interruption interruption = new();
            return await RunAsync(settings, interruption.Token);
        }));
        return command;
    }

    public static Command Nodes()
    {
        Option<string?> cluster = Cluster();
        Option<string?> secret = SecretFile();
        Option<bool> json = Shared.Json();
        Argument<string> node = new("NODE") { Description = "A node's name." };
        Command list = new("ls", "Lists the cluster's nodes.") { cluster, secret, json };
        list.SetAction((parsed, cancel) => Shared.GuardAsync(async () => Print(await AskAsync(parsed.GetValue(cluster), parsed.GetValue(secret), ask => new ClusterProtocol.ListNodes(ask), cancel), parsed.GetValue(json))));
        Command all = new("nodes", "The nodes of a cluster.") { list };
        foreach ((string verb, NodeDuty duty, string what) in new[]
        {
            ("drain", NodeDuty.Draining, "Lets a node end what it runs and gives it nothing more."), ("quarantine", NodeDuty.Quarantined, "Takes a node's work away at once and gives it nothing more."),
            ("activate", NodeDuty.Active, "Gives a node work again."),
        })
        {
            Command set = new(verb, what) { node, cluster, secret, json };
            set.SetAction((parsed, cancel) => Shared.GuardAsync(async () =>
                Print(await AskAsync(parsed.GetValue(cluster), parsed.GetValue(secret), ask => new ClusterProtocol.SetDuty(ask, parsed.GetValue(node)!, duty), cancel), parsed.GetValue(json))));
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
            string journal = Environment.GetEnvironmentVariable("DANAS_JOURNAL") is { Length: > 0 } address ? address : throw new UsageException("'danas searches' reads a cluster's data base: set DANAS_JOURNAL; 'danas ls' lists the searches of a folder");
            PostgresServer server = new(journal);
            await server.PrepareAsync();
            IReadOnlyList<OverviewRow> rows = await PostgresProjection.ReadAsync(server, cancel);
            if (parsed.GetValue(json))
                Output.PrintJson(rows);
            else if (rows.Count == 0)
                Console.WriteLine("nothing projected yet; is a projector up? ('danas node --roles projector')");
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

    /// <summary>A client of the cluster that was named. Throws <see cref="UsageException"/> where none was.</summary>
    public static ClusterClient Client(string? cluster, string? secret) => new(Coordinators(cluster) ?? throw new UsageException("name the cluster: --cluster HOST:PORT, or DANAS_CLUSTER"), Secret(secret));

    private static async Task<ClusterProtocol.NodeList> AskAsync(string? cluster, string? secret, Func<string, IAsk> question, CancellationToken cancel)
    {
        await using ClusterClient client = Client(cluster, secret);
        ClusterProtocol.NodeList nodes = await client.AskAsync<ClusterProtocol.NodeList>(question, cancel);
        return nodes.Failure is { } why ? throw new UsageException(why) : nodes;
    }

    private static int Print(ClusterProtocol.NodeList nodes, bool json)
    {
        if (json)
            Output.PrintJson(nodes.Nodes);
        else
            Output.PrintTable(["node", "address", "trainers", "busy", "duty", "torch", "there"], nodes.Nodes.Select(n => (string[])[n.Node.Name, n.Node.Address, Output.Text($"{n.Node.Trainers}"), Output.Text($"{n.Busy}"), n.Duty.ToString(), n.Node.Engine, n.Connected ? "yes" : "silent"]));
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
        using BlobClient transfer = new(settings.Prove);
        RefusalLog refusals = new(why => log.Write(new Actors.ActorAddress("/links"), DateTimeOffset.UtcNow, new(Actors.Logging.LogEvent.LinkRefused, "Asking", "Refused") { Cause = why, IsWarning = true }), TimeProvider.System);
        await using NodeServer server = new(settings, refusals.Say);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt);
        bool coordinates = settings.Roles.Contains(NodeSettings.Coordinator);
        List<Task> roles = [];
        if (coordinates || settings.Roles.Contains(NodeSettings.Trainer))
            roles.AddRange(settings.Host == HostKind.Akka ? Member(settings, server, log, transfer, stop.Token) : Linked(settings, server, log, transfer, stop.Token));
        if (settings.Roles.Contains(NodeSettings.Projector))
        {
            ProjectorRole projector = new(settings, log);
            if (settings.Roles.Count == 1)
                server.Ready = () => projector.IsFollowing;
            roles.Add(projector.RunAsync(stop.Token));
        }

        await server.StartAsync();
        Console.WriteLine($"node {settings.Name}: {string.Join(", ", settings.Roles)} of cluster {settings.Cluster}, on {settings.Advertise}; blobs and log in {settings.Folder.Root}; Ctrl-C ends it, and its work goes on elsewhere");
        Task first = await Task.WhenAny(roles);
        await stop.CancelAsync();
        await Task.WhenAll(roles);
        await first;
        return interrupt.IsCancellationRequested ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>Coordinator and trainers on hosts of their own, linked to whoever leads.</summary>
    private static List<Task> Linked(NodeSettings settings, NodeServer server, StateLog log, BlobClient transfer, CancellationToken stop)
    {
        List<Task> roles = [];
        bool coordinates = settings.Roles.Contains(NodeSettings.Coordinator);
        if (coordinates)
            roles.Add(new CoordinatorRole(settings, server, log, transfer).RunAsync(stop));
        if (settings.Roles.Contains(NodeSettings.Trainer))
        {
            TrainerRole trainer = new(settings, log, transfer, text => Chatter(settings, text));
            if (!coordinates)
                server.Ready = () => trainer.IsJoined;
            roles.Add(trainer.RunAsync(coordinates ? [.. settings.Join.Append(new Uri(settings.Advertise).Authority).Distinct()] : settings.Join, stop));
        }

        return roles;
    }

    /// <summary>Coordinator and trainers as one member of an Akka cluster.</summary>
    private static List<Task> Member(NodeSettings settings, NodeServer server, StateLog log, BlobClient transfer, CancellationToken stop)
    {
        AkkaNodeRole member = new(settings, server, log, transfer, text => Chatter(settings, text));
        if (!settings.Roles.Contains(NodeSettings.Coordinator))
            server.Ready = () => member.IsJoined;
        return [member.RunAsync(stop)];
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
