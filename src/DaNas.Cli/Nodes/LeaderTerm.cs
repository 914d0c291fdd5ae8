using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Actors.Journals;
using DaNas.Actors.Searches;
using DaNas.Cli.Running;
using DaNas.Domain.Searches;
using DaNas.Storage.Http;

namespace DaNas.Cli.Nodes;

/// <summary>What a leader is made of, whichever host runs it: the dispatcher, the reception, and the ports through which they reach the journal and the blobs.</summary>
internal sealed class LeaderTerm(NodeSettings settings, NodeServer server, BlobClient transfer, IActorHost host, PostgresJournal journal)
{
    private static readonly string[] Ends = ["search-completed/1", "search-failed/1"];
    private static readonly DispatcherSettings Dispatching = new(3, 15) { AwaitsDuties = true };

    public void Begin()
    {
        host.PlayRole(Roles.Dispatcher, host.Spawn(Roles.Dispatcher, () => new DispatcherActor(Dispatching)));
        host.PlayRole(Roles.Cluster, host.AddressOf(Roles.Cluster));
        host.OpenPort(ClusterPorts.Journal, async (request, _) => await JournalAsync(request));
        host.OpenPort(Actors.Ports.Blobs, (request, _) => Task.FromResult(Discard((SearchProtocol.DiscardBlobs)request)));
        host.Spawn(Roles.Cluster, () => new ClusterActor(SearchRunner.EngineVersion));
    }

    /// <summary>Copies of blobs and what may go, on the leader's own disk.</summary>
    public async Task<object?> TransferAsync(object request, CancellationToken stop)
    {
        if (request is ClusterProtocol.Keep keep)
            await Task.Run(() => NodeDiscards.Keep(settings, keep, DateTime.UtcNow), stop);
        else if (request is ClusterPorts.Fetch fetch && settings.BlobFolderOf(fetch.Search) is not null)
            await transfer.EnsureAsync(settings.Folder.OpenBlobs(fetch.Search), fetch.Search, fetch.Blob, [.. fetch.Addresses, .. server.View.Coordinators.Where(c => c != settings.Advertise)], stop);
        return null;
    }

    private async Task<object?> JournalAsync(object request)
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

    private object? Discard(SearchProtocol.DiscardBlobs request)
    {
        NodeDiscards.Discard(settings, request.Search, request.Blobs);
        host.Tell(host.AddressOf(Roles.Cluster), new ClusterProtocol.Discard(request.Search, request.Blobs));
        return null;
    }
}
