using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Domain.Searches;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Blobs.Http;
using DaNas.Runtime.Journal.Postgres;
using DaNas.Runtime.Searches;

namespace DaNas.Runtime.Cluster;

/// <summary>
/// What a leader is made of: the journal behind its fence, the dispatcher, the reception, and the ports through which they reach the
/// journal, the blobs and the nodes.
/// </summary>
internal sealed class LeaderTerm(NodeSettings settings, NodeServer server, BlobClient transfer, IStateLog log) : ITerm, IAsyncDisposable
{
    private static readonly string[] Ends = ["search-completed/1", "search-failed/1"];
    private static readonly DispatcherSettings Dispatching = new(3, 15) { AwaitsDuties = true };
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RehearseFirst = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RehearseLongest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReachPatience = TimeSpan.FromSeconds(3);

    private readonly HttpClient http = NodeHttp.Client(settings.Certificates, ReachPatience);
    private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool ended;
    private AkkaHost? host;
    private IActorRef? dispatcher;
    private IActorRef? reception;
    private PostgresJournal? journal;

    /// <summary>Other coordinators, who may have a blob.</summary>
    public Func<IReadOnlyList<BoardRow>> Coordinators { get; set; } = () => [];

    /// <summary>The blobs of this process.</summary>
    public ClusterPorts.Port? Transfer { get; set; }

    /// <summary>Nodes that announced themselves in this term; null while it is not led.</summary>
    public int? Linked { get; private set; }

    /// <summary>
    /// Standing by, once: reads a running search and asks the other coordinators, as a takeover does, so that the first one need not wait
    /// for code to be compiled.
    /// </summary>
    public async Task RehearseAsync(CancellationToken stop)
    {
        for (TimeSpan wait = RehearseFirst; host is null && !stop.IsCancellationRequested; wait = wait * 2 > RehearseLongest
            ? RehearseLongest : wait * 2)
        {
            try
            {
                using PostgresJournal rehearsed = PostgresJournal.OpenPrepared(settings.Journal!, settings.Folder.HeadOf, settings.Cluster);
                IReadOnlyList<string> running = await rehearsed.UnfinishedAsync(Ends);
                if (running.Count > 0 && Coordinators().FirstOrDefault(c => c.Name != settings.Name) is { } other)
                {
                    StateOf(await rehearsed.ReadAsync(running[0]));
                    await ReachAsync(new(new NodeInfo(other.Name, other.Address.Url(settings.Certificates is not null), 0, string.Empty),
                        other.Address.Remoting), stop);
                    return;
                }
            }
#pragma warning disable CA1031 // Whatever is wrong, a takeover says it; this is tried again, and nobody waits for it.
            catch (Exception)
#pragma warning restore CA1031
            {
            }

            await Task.Delay(wait, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task BeginAsync(AkkaHost host)
    {
        this.host = host;
        try
        {
            await OpenAsync(host);
        }
        finally
        {
            begun.TrySetResult();
        }
    }

    private async Task OpenAsync(AkkaHost host)
    {
        journal = PostgresJournal.OpenPrepared(settings.Journal!, settings.Folder.HeadOf, settings.Cluster);
        await journal.FenceAsync();
        if (ended)
            return;
        host.OpenJournal(journal);
        Linked = 0;
        dispatcher = host.Spawn(DispatcherActor.Name, DispatcherActor.PropsOf(Dispatching));
        reception = host.Spawn(ClusterActor.Name, ClusterActor.PropsOf(SearchRunner.EngineVersion,
            new LeaderPorts(m => Task.Run(() => JournalAsync(m)), Transfer!, dispatcher, host.Journal, Discard)));
        Questions questions = new();
        questions.MoveTo(host, "leader-questions");
        questions.AskFrom(reception);
        server.Leader = questions;
        log.Write("/coordinator", DateTimeOffset.UtcNow, new StateChange(
            LogEvent.ClusterLeading, "StandingBy", "Leading")
        { Cause = settings.Name, IsWarning = true });
    }

    public async Task EndAsync()
    {
        ended = true;
        if (host is null)
            return;
        await begun.Task;
        server.Leader = null;
        Linked = null;
        foreach (IActorRef actor in new[] { reception, dispatcher }.OfType<IActorRef>())
            await host.StopAsync(actor, StopPatience);
    }

    public ValueTask DisposeAsync()
    {
        server.Leader = null;
        journal?.Dispose();
        http.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Copies of blobs and what may go, on the leader's own disk; whether a new node is reached.</summary>
    public async Task<object?> TransferAsync(object request, CancellationToken stop)
    {
        switch (request)
        {
            case ClusterProtocol.Keep keep:
                await Task.Run(() => NodeDiscards.Keep(settings, keep, DateTime.UtcNow), stop);
                break;
            case ClusterProtocol.Roster roster:
                Linked = roster.Nodes.Count;
                break;
            case ClusterPorts.Reach reach:
                await ReachAsync(reach, stop);
                break;
            case ClusterPorts.Fetch fetch when settings.BlobFolderOf(fetch.Search) is not null:
                string[] others = [.. Coordinators().Where(c => c.Name != settings.Name)
                    .Select(c => c.Address.Url(settings.Certificates is not null))];
                await transfer.EnsureAsync(settings.Folder.OpenBlobs(fetch.Search), fetch.Search, fetch.Blob,
                    [.. fetch.Addresses, .. others], stop);
                break;
        }

        return null;
    }

    /// <summary>A node must be reached on both of its ports: blobs come from one, work goes to the other.</summary>
    private Task ReachAsync(ClusterPorts.Reach reach, CancellationToken stop) =>
        Task.WhenAll(ReachWebAsync(reach, stop), ReachRemotingAsync(reach, stop));

    private async Task ReachWebAsync(ClusterPorts.Reach reach, CancellationToken stop)
    {
        try
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri($"{reach.Node.Address}/about"), stop);
            answer.EnsureSuccessStatusCode();
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            throw new InvalidDataException($"the leader cannot reach {reach.Node.Name} at {reach.Node.Address} " +
                $"({(e is OperationCanceledException ? "no answer" : e.GetBaseException().Message)}): open its HTTPS port, or specify " +
                $"with --advertise an address that others can reach");
        }
    }

    private async Task ReachRemotingAsync(ClusterPorts.Reach reach, CancellationToken stop)
    {
        int colon = reach.Remoting.LastIndexOf(':');
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(ReachPatience);
        try
        {
            using TcpClient line = new();
            string name = reach.Remoting[..colon].Trim('[', ']');
            await line.ConnectAsync(name, int.Parse(reach.Remoting.AsSpan(colon + 1),
                System.Globalization.CultureInfo.InvariantCulture), patience.Token);
            if (settings.Certificates is not { } certificates)
                return;
            // A line that is dropped before would stand in the other's log as an attack.
            await using SslStream shaken = new(line.GetStream());
            await shaken.AuthenticateAsClientAsync(NodeHttp.Authentication(certificates, name), patience.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException or AuthenticationException)
        {
            throw new InvalidDataException($"the leader cannot reach {reach.Node.Name} at {reach.Remoting} " +
                $"({(e is OperationCanceledException ? "no answer" : e.Message)}): open its --listen port, or specify with --advertise " +
                $"an address that others can reach");
        }
    }

    private async Task<object?> JournalAsync(object request)
    {
        switch (request)
        {
            case ClusterPorts.FindUnfinished:
                string prefix = SearchRecord.PersistenceId(string.Empty);
                return (await journal!.UnfinishedAsync(Ends)).Where(p => p.StartsWith(prefix, StringComparison.Ordinal))
                    .Select(p => p[prefix.Length..]).ToList();
            case ClusterPorts.LoadDuties:
                return await PostgresDuties.LoadAsync(settings.Journal!, settings.Cluster);
            case ClusterPorts.SaveDuty save:
                await PostgresDuties.SaveAsync(settings.Journal!, settings.Cluster, save.Order);
                return null;
            case ClusterPorts.Take take:
                string id = SearchRecord.PersistenceId(take.Search);
                long epoch;
                try
                {
                    epoch = await journal!.AcquireAsync(id);
                }
                catch (JournalException e) when (e.Fault == JournalFault.Foreign)
                {
                    return new ClusterPorts.BelongsElsewhere(e.Message);
                }

                return new ClusterPorts.Taken(epoch, StateOf(await journal.ReadAsync(id)).Started);
            case ClusterPorts.ReadAfter read:
                return await ReadAsync(read);
            default:
                throw new InvalidOperationException($"{request.GetType().Name} is not for the journal");
        }
    }

    private static SearchState StateOf(IEnumerable<StoredEvent> events) =>
        events.Select(e => (SearchEvent)e.Event).Aggregate(SearchState.Initial, SearchEvolver.Evolve);

    private async Task<List<FollowedEvent>> ReadAsync(ClusterPorts.ReadAfter read)
    {
        const int mostBytes = 1024 * 1024;
        List<FollowedEvent> events = [];
        int bytes = 0;
        foreach ((Actors.Wire.RowHead head, byte[] payload) in await journal!.ReadAfterAsync(
            SearchRecord.PersistenceId(read.Search), read.After))
        {
            bytes += payload.Length;
            if (bytes > mostBytes)
                break; // Whoever follows asks for the rest.
            events.Add(new(head.Sequence, head.CreatedTicks, head.Manifest, System.Text.Encoding.UTF8.GetString(payload)));
        }

        return events;
    }

    private void Discard(SearchProtocol.DiscardBlobs request)
    {
        // What stays behind for a fault of the disk goes with the next sweep of what is kept.
        _ = Task.Run(() => NodeDiscards.Discard(settings, request.Search, request.Blobs));
        reception?.Tell(new ClusterProtocol.Discard(request.Search, request.Blobs));
    }
}
