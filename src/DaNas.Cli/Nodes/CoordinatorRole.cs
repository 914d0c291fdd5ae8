using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Actors.Logging;
using DaNas.Storage.Http;

namespace DaNas.Cli.Nodes;

/// <summary>
/// A coordinator: stands by, leads while it holds the lease, and stands by again. Each term has a host, a journal session and actors of its own, so
/// nothing of a former term can act in a later one.
/// </summary>
internal sealed class CoordinatorRole(NodeSettings settings, NodeServer server, IStateLog log, BlobClient transfer)
{
    private static readonly ActorAddress Self = new("/coordinator");

    private static readonly TimeSpan AfterYielding = TimeSpan.FromSeconds(3);

    private volatile LinkHub? leading;

    public async Task RunAsync(CancellationToken stop)
    {
        Candidate candidate = new(settings.Cluster, settings.Name, settings.Advertise);
        await settings.Journal!.PrepareAsync();
        CoordinatorWatch watch = new(settings, server, candidate)
        {
            WaitingHere = () => server.Waiting.Count,
            Linked = () => leading?.Peers.Count(p => !p.StartsWith(ClusterClient.NamePrefix, StringComparison.Ordinal)),
            Outage = Outage,
        };
        Task looking = watch.RunAsync(stop);
        PostgresLease lease = new(settings.Journal, candidate) { Outage = Outage };
        try
        {
            while (!stop.IsCancellationRequested)
            {
                string why;
                await using (PostgresTenure tenure = await lease.WinAsync(stop))
                    why = await LeadAsync(tenure, watch, stop);
                if (stop.IsCancellationRequested)
                    break;
                Log(LogEvent.ClusterSteppedDown, "Leading", "StandingBy", why);
                if (watch.Yielding.IsCompleted)
                    await Task.Delay(AfterYielding, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }

        await looking;
    }

    private async Task<string> LeadAsync(PostgresTenure tenure, CoordinatorWatch watch, CancellationToken stop)
    {
        string name = Verbs.Output.Text($"{settings.Name}~{tenure.Epoch}");
        using PostgresJournal journal = PostgresJournal.Over(settings.Journal!, tenure, TimeProvider.System, settings.Folder.HeadOf);
        await using EmbeddedHost host = new(new HostOptions(), journal, log, TimeProvider.System) { Name = name };
        LinkHub hub = new(host);
        host.Links = hub;
        LeaderTerm term = new(settings, server, transfer, host, journal);
        host.OpenPort(ClusterPorts.Transfer, term.TransferAsync);
        term.Begin();
        server.Lead(hub, name);
        watch.Begin();
        leading = hub;
        Log(LogEvent.ClusterLeading, "StandingBy", "Leading", Verbs.Output.Text($"term {tenure.Epoch}"));
        try
        {
            Task over = await Task.WhenAny(tenure.Lost, host.Fatal, watch.Yielding, Task.Delay(Timeout.Infinite, stop));
            return over == tenure.Lost ? await tenure.Lost : over == host.Fatal ? await host.Fatal : over == watch.Yielding ? await watch.Yielding : "asked to end";
        }
        finally
        {
            leading = null;
            server.StepDown();
            hub.EndAll();
        }
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
