using DaNas.Actors.Cluster;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Blobs.Http;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// The actor system of a node. A coordinator is a member of the cluster; one that cannot lead any more, or that the others took for lost,
/// ends its process, for its supervisor to start again. Trainers are no members: they ask who leads, and begin anew by themselves when
/// others hold their actor system for dead.
/// </summary>
internal sealed class ClusterNode(NodeSettings settings, NodeServer server, IStateLog log, BlobClient transfer, Action<string> chatter)
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);
    private const string Self = "/node";

    private readonly TaskCompletionSource<string> refused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AkkaNode Address => new(settings.Listen.Address.ToString(), settings.Listen.Port,
        settings.Advertise.Host, settings.Advertise.Port)
    {
        Certificate = settings.Certificates?.Own,
        Refuses = settings.Certificates is { } certificates ? certificates.Refuses : null,
    };

    /// <summary>Returns an exit code: 3 where the cluster does not have this node.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        if (settings.Coordinates)
        {
            await PrepareAsync(stop);
            return await CoordinateAsync(stop);
        }

        return await TrainAsync(stop);
    }

    /// <summary>A coordinator whose process ended since the data base went away is started again before that is back.</summary>
    private async Task PrepareAsync(CancellationToken stop)
    {
        for (bool said = false; !stop.IsCancellationRequested; said = true)
        {
            try
            {
                using PostgresJournal journal = await PostgresJournal.OpenAsync(
                    settings.Journal!, settings.Folder.HeadOf, settings.Cluster);
                await journal.FenceAsync();
                if (said)
                    Outage(null);
                return;
            }
            catch (JournalException e) when (e.Fault == JournalFault.Unavailable)
            {
                if (!said)
                    Outage(e.Message);
                await Task.Delay(Between, CancellationToken.None);
            }
        }
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000",
        Justification = "Awaited and disposed; the analyzer does not see it.")]
    private async Task<int> CoordinateAsync(CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
            return ExitCode.Done;
        await using LeaderTerm term = new(settings, server, transfer, log);
        TaskCompletionSource<string> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
        LeaseStore leases = new(settings.Journal!, settings.Cluster)
        {
            Lost = (name, e) =>
            lost.TrySetResult($"the lease {name} is lost ({e.Message})")
        };
        AkkaHost host =
            await ListenAsync(Address with { JournalConnection = settings.Journal!.PooledConnection, Leases = leases, Term = term });
        await using CoordinatorBoard board = new(settings, server)
        {
            IsMember = () => host.IsMember,
            Members = () => host.Members,
            Alone =
            why => Say(LogEvent.NodeChanged, "Starting", "Alone", why),
            Join = host.Join,
            Linked = () => term.Linked,
            Outage = Outage
        };
        term.Coordinators = () => board.Rows;
        using LeaderFinder finder = new(settings.Certificates, () => [.. board.Rows.Select(r => r.Address)]);
        await using TrainerDuties? trainers = settings.Roles.Contains(NodeSettings.Trainer) ? new TrainerDuties(
            settings, transfer, finder, chatter)
        { Waiting = why => Say(LogEvent.NodeChanged, "Starting", "Alone", why) } : null;
        await using AkkaHost ending = host; // Actors end before the trainers' processes.
        term.Transfer = m => Task.Run(async () =>
        {
            await term.TransferAsync(m, host.Stopping);
            return trainers is null ? null : await trainers.TransferAsync(m, host.Stopping);
        });
        trainers?.Attach(host, term.Transfer, refused);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task boarding = board.RunAsync(over.Token);
        Task following = trainers?.FollowAsync(over.Token) ?? Task.CompletedTask;
        _ = term.RehearseAsync(over.Token);
        Task cancelled = Task.Delay(Timeout.Infinite, stop);
        Task first = await Task.WhenAny(host.Ended, host.Fatal, board.Yielding, lost.Task, refused.Task, cancelled);
        string why = first is Task<string> told ? await told : "the other coordinators declared this one down";
        await over.CancelAsync();
        await Task.WhenAll(boarding, following);
        if (first == cancelled)
            return ExitCode.Done;
        log.Write(Self, DateTimeOffset.UtcNow, new StateChange(LogEvent.ClusterSteppedDown, "Member", "Ended")
        {
            Cause =
            $"{why}; this process ends; its supervisor is expected to restart it (systemd, Kubernetes: deploy/)",
            IsWarning = true
        });
        return first == refused.Task ? NodeRefusedCode : ExitCode.Failed;
    }

    /// <summary>The exit code of a node that its cluster refuses: another name, another address or other certificates are needed.</summary>
    public const int NodeRefusedCode = 3;

    private async Task<int> TrainAsync(CancellationToken stop)
    {
        using LeaderFinder finder = new(settings.Certificates, () => settings.Join);
        if (await finder.RefusalAsync(settings.Cluster, stop) is { } other)
        {
            await Console.Error.WriteLineAsync(other);
            return NodeRefusedCode;
        }

        await using TrainerDuties trainers = new(settings, transfer, finder,
            chatter)
        { Waiting = why => Say(LogEvent.NodeChanged, "Starting", "Alone", why) };
        server.Ready = () => trainers.IsJoined;
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task following = trainers.FollowAsync(over.Token);
        int code = ExitCode.Done;
        while (!stop.IsCancellationRequested)
        {
            await using AkkaHost host = await ListenAsync(Address);
            CancellationToken ending = host.Stopping;
            trainers.Attach(host, m => Task.Run(() => trainers.TransferAsync(m, ending)), refused);
            Task cancelled = Task.Delay(Timeout.Infinite, stop);
            Task first = await Task.WhenAny(host.Ended, host.Fatal, trainers.Deaf, refused.Task, cancelled);
            if (first == refused.Task)
            {
                await Console.Error.WriteLineAsync($"the cluster rejected this node: {await refused.Task}");
                code = NodeRefusedCode;
                break;
            }

            if (first != cancelled)
                log.Write(Self, DateTimeOffset.UtcNow, new StateChange(LogEvent.ClusterSteppedDown, "Joined",
                    "Alone")
                {
                    Cause = $"{(first is Task<string> told ? await told : "its actor system ended")}; it is replaced within " +
                        $"this process, and running units continue",
                    IsWarning = true
                });
        }

        await over.CancelAsync();
        await following;
        return code;
    }

    /// <summary>Throws <see cref="UsageException"/> where the port is in use.</summary>
    private async Task<AkkaHost> ListenAsync(AkkaNode node)
    {
        try
        {
            return await AkkaHost.StartAsync(LocalActors.Timings, null, log, node);
        }
        catch (Exception e) when (Sockets(e) is not null)
        {
            throw new UsageException($"--listen {settings.Listen}: {Sockets(e)!.Message}");
        }
    }

    private static System.Net.Sockets.SocketException? Sockets(Exception? e) => e switch
    {
        null => null,
        System.Net.Sockets.SocketException found => found,
        AggregateException many => many.InnerExceptions.Select(Sockets).FirstOrDefault(s => s is not null),
        _ => Sockets(e.InnerException),
    };

    private void Say(LogEvent e, string from, string to, string cause) =>
        log.Write(Self, DateTimeOffset.UtcNow, new StateChange(e, from, to) { Cause = cause, IsWarning = true });

    private void Outage(string? why) => log.Write("/coordinator", DateTimeOffset.UtcNow, why is null
        ? new StateChange(LogEvent.ClusterStoreBack, "Waiting", "StandingBy") { IsWarning = true }
        : new StateChange(LogEvent.ClusterStoreLost, "StandingBy", "Waiting") { Cause = why, IsWarning = true });
}
