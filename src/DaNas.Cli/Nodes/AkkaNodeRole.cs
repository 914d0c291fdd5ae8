using System.Diagnostics;
using System.Net.WebSockets;
using DaNas.Actors;
using DaNas.Actors.Akka;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Cli.Running;
using DaNas.Storage.Http;

namespace DaNas.Cli.Nodes;

/// <summary>
/// A node as a member of an Akka cluster: coordinator, trainer, or both. A coordinator that cannot lead any more, or that the others took for lost, ends its
/// process, for its supervisor to start again; trainers have nothing to lose, and begin anew by themselves.
/// </summary>
internal sealed class AkkaNodeRole(NodeSettings settings, NodeServer server, IStateLog log, BlobClient transfer, Action<string> chatter)
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    /// <summary>To found or join a cluster, before the list of coordinators is looked at again.</summary>
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(10);

    /// <summary>To become a member; nodes that are lost, and not yet taken for lost, can hold that up.</summary>
    private static readonly TimeSpan MemberPatience = TimeSpan.FromSeconds(30);

    /// <summary>The data base names a leader who is in another cluster for so long.</summary>
    private static readonly TimeSpan StrangerPatience = TimeSpan.FromSeconds(20);

    private static readonly ActorAddress Self = new("/node");

    private volatile AkkaHost? current;

    private bool Coordinates => settings.Roles.Contains(NodeSettings.Coordinator);

    /// <summary>Whether this node hears of a leader.</summary>
    public bool IsJoined => current?.Leader is not null;

    public async Task RunAsync(CancellationToken stop)
    {
        if (Coordinates)
            await PrepareAsync(stop);
        while (!stop.IsCancellationRequested)
        {
            string why = await (Coordinates ? CoordinateAsync(stop) : MemberAsync(null, null, stop));
            if (stop.IsCancellationRequested)
                return;
            string cause = Coordinates ? $"{why}; this process ends, and whoever supervises it starts another (systemd, Kubernetes: deploy/)" : why;
            log.Write(Self, DateTimeOffset.UtcNow, new StateChange(LogEvent.ClusterSteppedDown, "Member", Coordinates ? "Ended" : "Alone") { Cause = cause, IsWarning = true });
            if (Coordinates)
                return; // Nothing of this process may act in a later term: whoever supervises it starts another.
            await Task.Delay(Between, CancellationToken.None);
        }
    }

    /// <summary>A coordinator whose process ended since the data base went away is started again before that is back.</summary>
    private async Task PrepareAsync(CancellationToken stop)
    {
        for (bool said = false; !stop.IsCancellationRequested; said = true)
        {
            try
            {
                await settings.Journal!.PrepareAsync();
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

    private async Task<string> CoordinateAsync(CancellationToken stop)
    {
        Candidate candidate = new(settings.Cluster, settings.Name, settings.Advertise);
        PostgresLease lease = new(settings.Journal!, candidate) { Outage = Outage };
        await using AkkaLeadership leadership = new(settings, server, log, transfer, lease);
        CoordinatorWatch watch = new(settings, server, candidate)
        {
            WaitingHere = () => server.Waiting.Count + (LeaderIsCutOff() ? current!.TrainersReached : 0),
            Linked = () => leadership.Term is null ? null : current?.TrainersReached,
            Outage = Outage,
        };
        leadership.Began = watch.Begin;
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task watching = watch.RunAsync(over.Token);
        try
        {
            return await MemberAsync(leadership, watch, stop);
        }
        finally
        {
            await over.CancelAsync();
            await watching;
        }
    }

    /// <summary>From joining to the end of this node's membership; returns why it ended.</summary>
    private async Task<string> MemberAsync(AkkaLeadership? leadership, CoordinatorWatch? watch, CancellationToken stop)
    {
        Uri advertise = new(settings.Advertise);
        List<string> roles = [.. settings.Roles.Where(r => r is NodeSettings.Coordinator or NodeSettings.Trainer)];
        AkkaNode node = new(advertise.Host, advertise.Port, roles, ConnectAsync) { JournalConnection = settings.Journal?.PooledConnection, Leadership = leadership };
        await using AkkaHost host = new(Hosts.Hocon("reference", "environments/postgresql", $"roles/{(Coordinates ? NodeSettings.Coordinator : NodeSettings.Trainer)}"), null, log, node);
        current = host;
        if (leadership is not null)
            leadership.Host = host;
        server.Members = (socket, cancellation) => WelcomeAsync(host, socket, cancellation);
        await using TrainerDuties? trainers = settings.Roles.Contains(NodeSettings.Trainer) ? new TrainerDuties(settings, host, transfer, LeaderFirst, chatter) : null;
        host.OpenPort(ClusterPorts.Transfer, async (m, cancel) =>
            m is ClusterPorts.Fetch || trainers is null ? await (leadership?.Term?.TransferAsync(m, cancel) ?? Task.FromResult<object?>(null)) : await trainers.TransferAsync(m, cancel));
        host.LeaderReached = leader => trainers?.Announce(leader);
        trainers?.Begin();
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<string> alone = LookAroundAsync(host, leadership, over.Token);
        Task tidying = trainers?.TidyAsync(over.Token) ?? Task.CompletedTask;
        try
        {
            List<Task> ends = [host.Ended, host.Fatal, alone, .. leadership is null ? (Task[])[] : [leadership.Lost, watch!.Yielding]];
            Task first = await Task.WhenAny(ends);
            return first is Task<string> told ? await told : "the other nodes took this one for lost";
        }
        finally
        {
            server.Members = null;
            current = null;
            await over.CancelAsync();
            await tidying;
            await alone;
            await host.DisposeAsync(); // Actors first: then the word is given back, and trainers' processes end.
            if (leadership is not null)
                await leadership.DisposeAsync();
        }
    }

    /// <summary>Joins, and sees whether that still holds; returns when it does not, or it is cancelled.</summary>
    private async Task<string> LookAroundAsync(AkkaHost host, AkkaLeadership? leadership, CancellationToken stop)
    {
        long asked = 0;
        Patience alone = new(host.AloneAfter);
        Patience outside = new(MemberPatience);
        Patience forgotten = new(TimeSpan.FromSeconds(3));
        Patience strange = new(StrangerPatience);
        try
        {
            while (true)
            {
                if (!host.IsMember && (asked == 0 || Stopwatch.GetElapsedTime(asked) > JoinPatience) && await SeedsAsync(stop) is { Length: > 0 } seeds)
                {
                    host.Join(seeds);
                    asked = Stopwatch.GetTimestamp();
                }

                bool next = host.HasSingleton || (host.Leader is { } leader && !host.Knows(leader).IsReached);
                bool stuck = leadership is { IsWriter: false } && next && !server.Ready() && host.Coordinators.Count > 1;
                if (!host.IsMember)
                    host.NotYetMember();
                if (outside.IsOver(!host.IsMember))
                    return "it has not become a member of a cluster; it begins anew";
                if (alone.IsOver(host.IsMember && stuck))
                    return "the data base does not answer here; it makes room for another coordinator";
                if (forgotten.IsOver(host.IsMember && !host.IsRemembered))
                    return "no coordinator holds this node for a member; it joins anew";
                if (strange.IsOver(host.IsMember && Coordinates && LeaderElsewhere(host)))
                    return $"{server.View.Leader} leads, and is not reached as a member; this one ends, to join its cluster";
                await Task.Delay(Between, stop);
            }
        }
        catch (OperationCanceledException)
        {
            return "asked to end";
        }
    }

    /// <summary>For a coordinator all that the data base knows to be there, in the same order on each, so that one founds the cluster; for a trainer those that it was told.</summary>
    private async Task<string[]> SeedsAsync(CancellationToken stop)
    {
        if (!Coordinates)
            return [.. settings.Join];
        while (!server.Ready())
            await Task.Delay(Between, stop); // The data base has not answered yet.
        return [.. server.View.Coordinators.Append(settings.Advertise).Select(a => new Uri(a).Authority).Distinct().Order(StringComparer.Ordinal)];
    }

    private bool LeaderElsewhere(AkkaHost host) =>
        server.View.Leader is { } leader && leader != settings.Advertise && server.View.Coordinators.Contains(leader) && host.Knows(new Uri(leader).Authority) is not { IsReached: true };

    private bool LeaderIsCutOff() =>
        current is { } host && server.View.Leader is { } leader && leader != settings.Advertise && host.Knows(new Uri(leader).Authority) is { IsReached: false };

    private IReadOnlyList<string> LeaderFirst()
    {
        if (current is not { } host)
            return [];
        string[] others = [.. host.Coordinators.Where(c => c != host.Leader)];
        return [.. (host.Leader is { } leader ? others.Prepend(leader) : others).Select(c => $"http://{c}")];
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA2000", Justification = "The channel owns the socket.")]
    private async Task<INodeConnection> ConnectAsync(string host, int port, CancellationToken cancellation)
    {
        ClientWebSocket socket = new();
        socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(1);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(3);
        try
        {
            await socket.ConnectAsync(new UriBuilder("ws", host, port, NodeServer.MembersPath).Uri, cancellation);
            return await SecretChannel.GreetAsync(socket, settings.Secret, new Uri(settings.Advertise).Authority, cancellation);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task WelcomeAsync(AkkaHost host, WebSocket socket, CancellationToken cancellation)
    {
        await using SecretChannel channel = await SecretChannel.WelcomeAsync(socket, settings.Secret, new Uri(settings.Advertise).Authority, cancellation);
        await host.CarryAsync(channel, cancellation);
    }

    private void Outage(string? why) => log.Write(
        new ActorAddress("/coordinator"), DateTimeOffset.UtcNow,
        why is null
            ? new StateChange(LogEvent.ClusterStoreBack, "Waiting", "StandingBy") { Cause = "the data base answers again", IsWarning = true }
            : new StateChange(LogEvent.ClusterStoreLost, "StandingBy", "Waiting") { Cause = why, IsWarning = true });

    /// <summary>Whether something has been so, without a break, for longer than it may.</summary>
    private sealed class Patience(TimeSpan most)
    {
        private long? since;

        public bool IsOver(bool isSo)
        {
            since = isSo ? since ?? Stopwatch.GetTimestamp() : null;
            return since is { } from && Stopwatch.GetElapsedTime(from) > most;
        }
    }
}
