using System.Diagnostics;
using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Cli.Running;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Storage.Http;

namespace DaNas.Cli.Nodes;

/// <summary>
/// A coordinator: stands by, leads while it holds the lease, and stands by again. Each term has a host, a journal session and actors of its own, so
/// nothing of a former term can act in a later one.
/// </summary>
internal sealed class CoordinatorRole(NodeSettings settings, NodeServer server, IStateLog log, BlobClient transfer)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private static readonly ActorAddress Self = new("/coordinator");
    private static readonly string[] Ends = ["search-completed/1", "search-failed/1"];

    /// <summary>Longer than what a change of the leader takes by itself.</summary>
    private static readonly TimeSpan YieldAfter = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan AfterYielding = TimeSpan.FromSeconds(3);

    private readonly DispatcherSettings dispatching = new(3, 15) { AwaitsDuties = true };
    private TaskCompletionSource<string> yielding = new();
    private volatile LinkHub? leading;
    private long? badSince;

    public async Task RunAsync(CancellationToken stop)
    {
        Candidate candidate = new(settings.Cluster, settings.Name, settings.Advertise);
        await settings.Journal!.PrepareAsync();
        Task looking = LookAsync(candidate, stop);
        PostgresLease lease = new(settings.Journal, candidate) { Outage = Outage };
        try
        {
            while (!stop.IsCancellationRequested)
            {
                string why;
                await using (PostgresTenure tenure = await lease.WinAsync(stop))
                    why = await LeadAsync(tenure, stop);
                if (stop.IsCancellationRequested)
                    break;
                Log(LogEvent.ClusterSteppedDown, "Leading", "StandingBy", why);
                if (yielding.Task.IsCompleted)
                    await Task.Delay(AfterYielding, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }

        await looking;
    }

    private async Task<string> LeadAsync(PostgresTenure tenure, CancellationToken stop)
    {
        string name = Verbs.Output.Text($"{settings.Name}~{tenure.Epoch}");
        using PostgresJournal journal = PostgresJournal.Over(settings.Journal!, tenure, TimeProvider.System, settings.Folder.HeadOf);
        await using EmbeddedHost host = new(new HostOptions(), journal, log, TimeProvider.System) { Name = name };
        LinkHub hub = new(host);
        host.Links = hub;
        host.PlayRole(Roles.Dispatcher, host.Spawn(Roles.Dispatcher, () => new DispatcherActor(dispatching)));
        host.PlayRole(Roles.Cluster, host.AddressOf(Roles.Cluster));
        host.OpenPort(ClusterPorts.Journal, async (request, _) => await JournalAsync(journal, request));
        host.OpenPort(ClusterPorts.Transfer, TransferAsync);
        host.OpenPort(Actors.Ports.Blobs, (request, _) => Task.FromResult(Discard(host, (SearchProtocol.DiscardBlobs)request)));
        host.Spawn(Roles.Cluster, () => new ClusterActor(SearchRunner.EngineVersion));
        server.Lead(hub, name);
        badSince = null;
        yielding = new(TaskCreationOptions.RunContinuationsAsynchronously);
        leading = hub;
        Log(LogEvent.ClusterLeading, "StandingBy", "Leading", Verbs.Output.Text($"term {tenure.Epoch}"));
        try
        {
            Task over = await Task.WhenAny(tenure.Lost, host.Fatal, yielding.Task, Task.Delay(Timeout.Infinite, stop));
            return over == tenure.Lost ? await tenure.Lost : over == host.Fatal ? await host.Fatal : over == yielding.Task ? await yielding.Task : "asked to end";
        }
        finally
        {
            leading = null;
            server.StepDown();
            hub.EndAll();
        }
    }

    private async Task<object?> JournalAsync(PostgresJournal journal, object request)
    {
        switch (request)
        {
            case ClusterPorts.FindUnfinished:
                string prefix = SearchRecord.PersistenceId(string.Empty);
                return (await journal.UnfinishedAsync(Ends)).Where(p => p.StartsWith(prefix, StringComparison.Ordinal)).Select(p => p[prefix.Length..]).ToList();
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
                    epoch = await journal.AcquireAsync(id);
                }
                catch (JournalException e) when (e.Fault == JournalFault.Foreign)
                {
                    return new ClusterPorts.BelongsElsewhere(e.Message);
                }

                return new ClusterPorts.Taken(epoch, (await journal.ReadAsync(id)).Select(e => (SearchEvent)e.Event).Aggregate(SearchState.Initial, SearchEvolver.Evolve).Started);
            case ClusterPorts.ReadAfter read:
                const int mostBytes = 1024 * 1024;
                List<FollowedEvent> events = [];
                int bytes = 0;
                foreach ((Actors.Wire.RowHead head, byte[] payload) in await journal.ReadAfterAsync(SearchRecord.PersistenceId(read.Search), read.After))
                {
                    bytes += payload.Length;
                    if (bytes > mostBytes)
                        break; // Whoever follows asks for the rest.
                    events.Add(new(head.Sequence, head.CreatedTicks, head.Manifest, System.Text.Encoding.UTF8.GetString(payload)));
                }

                return events;
            default:
                throw new InvalidOperationException($"{request.GetType().Name} is not for the journal");
        }
    }

    private async Task<object?> TransferAsync(object request, CancellationToken stop)
    {
        if (request is ClusterProtocol.Keep keep)
            await Task.Run(() => NodeDiscards.Keep(settings, keep, DateTime.UtcNow), stop);
        else if (request is ClusterPorts.Fetch fetch && settings.BlobFolderOf(fetch.Search) is not null)
            await transfer.EnsureAsync(settings.Folder.OpenBlobs(fetch.Search), fetch.Search, fetch.Blob, [.. fetch.Addresses, .. server.View.Coordinators.Where(c => c != settings.Advertise)], stop);
        return null;
    }

    private object? Discard(EmbeddedHost host, SearchProtocol.DiscardBlobs request)
    {
        NodeDiscards.Discard(settings, request.Search, request.Blobs);
        host.Tell(host.AddressOf(Roles.Cluster), new ClusterProtocol.Discard(request.Search, request.Blobs));
        return null;
    }

    /// <summary>Keeps this coordinator in the list, and what it tells others of the leader up to date.</summary>
    private async Task LookAsync(Candidate candidate, CancellationToken stop)
    {
        await using PostgresDirectory directory = new(settings.Journal!, candidate);
        bool known = false;
        server.Ready = () => known;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                LeaderView? view = await directory.RefreshAsync(server.Waiting.Count, stop);
                known = view is not null;
                server.View = view ?? server.View;
                Judge(directory.WaitingElsewhere);
                await Task.Delay(Look, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // What the data base says now, it may not say in a while: this loop must outlive it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (known)
                    Outage(e.Message);
                known = false;
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            }
        }
    }

    /// <summary>A leader that more nodes cannot reach than can, while they reach another coordinator, makes room for that one.</summary>
    private void Judge(int waitingElsewhere)
    {
        int linked = leading?.Peers.Count(p => !p.StartsWith(ClusterClient.NamePrefix, StringComparison.Ordinal)) ?? int.MaxValue;
        if (waitingElsewhere <= linked)
            badSince = null;
        else if ((badSince ??= Stopwatch.GetTimestamp()) is var since && Stopwatch.GetElapsedTime(since) > YieldAfter)
            yielding.TrySetResult(Verbs.Output.Text($"{waitingElsewhere} nodes wait at another coordinator since they do not reach this one, {linked} are linked here"));
    }

    private void Outage(string? why)
    {
        if (why is null)
            Log(LogEvent.ClusterStoreBack, "Waiting", "StandingBy", "the data base answers again");
        else
            Log(LogEvent.ClusterStoreLost, "StandingBy", "Waiting", why);
    }

    private void Log(LogEvent e, string from, string to, string cause) =>
        log.Write(Self, DateTimeOffset.UtcNow, new StateChange(e, from, to) { Cause = cause, IsWarning = true });
}
