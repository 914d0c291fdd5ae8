using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using DaNas.Actors;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Domain.Values;

namespace DaNas.Cli.Nodes;

/// <summary>
/// Keeps a host linked to whoever leads: asks the coordinators that it knows, learns of others from their answers, and never goes back to the leader of
/// an earlier term.
/// </summary>
internal sealed class LeaderLink(EmbeddedHost host, LinkHub hub, LinkSecret secret, IReadOnlyList<string> join) : IDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan LookWhileLinked = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WaitsAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StragglersPatience = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(1), MaxResponseContentBufferSize = LeaderQuestion.LongestAnswer };
    private readonly SortedSet<string> coordinators = new(join.Select(j => $"http://{j}"), StringComparer.Ordinal);
    private long highest;
    private long aloneSince = Stopwatch.GetTimestamp();

    /// <summary>The leader's base address while the link is up.</summary>
    public string? Leader { get; private set; }

    public bool IsUp => Leader is not null;

    private bool IsWaiting => !IsUp && Stopwatch.GetElapsedTime(aloneSince) > WaitsAfter;

    /// <summary>The coordinators that are there now, the leader first.</summary>
    public IReadOnlyList<string> LeaderFirst { get; private set; } = [];

    /// <summary>Why the last attempt failed; for whoever waits.</summary>
    public string LastFailure { get; private set; } = "no coordinator has answered yet";

    /// <summary>The name under which a node that does not reach the leader tells the other coordinators so; null for who only watches.</summary>
    public string? WaitsAs { get; init; }

    /// <summary>Told each time that a leader is reached.</summary>
    public Action<string>? Reached { get; init; }

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                if (await FindAsync(cancellation) is { Leader: { } leader } view)
                    await LinkAsync(leader, view.Epoch, cancellation);
                await Task.Delay(Between, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever a coordinator answers, the node must go on looking for the leader.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LastFailure = e.Message;
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            }
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>What the coordinators say, without waiting long for those that do not answer: one may be frozen.</summary>
    private async Task<LeaderView?> FindAsync(CancellationToken cancellation)
    {
        List<Task<LeaderView?>> asked = [.. coordinators.ToArray().Select(c => AskAsync(c, cancellation))];
        List<LeaderView> views = [];
        Task? enough = null;
        while (asked.Count > 0)
        {
            Task done = enough is null ? await Task.WhenAny(asked) : await Task.WhenAny(asked.Append(enough));
            if (done == enough)
                break;
            asked.Remove((Task<LeaderView?>)done);
            if (await (Task<LeaderView?>)done is not { } view)
                continue;
            views.Add(view);
            enough ??= Task.Delay(StragglersPatience, cancellation);
        }

        foreach (string other in views.SelectMany(v => v.Coordinators))
            coordinators.Add(other);
        LeaderView? newest = views.Where(v => v.Leader is not null).MaxBy(v => v.Epoch);
        if (newest is null || newest.Epoch < highest)
            return null;
        LeaderFirst = [newest.Leader!, .. newest.Coordinators.Where(c => c != newest.Leader)];
        return newest;
    }

    /// <summary>A leader that is cut off from the data base may still hold its links: whoever hears of a later term goes there.</summary>
    private async Task LeaveForLaterTermAsync(LinkSession session, long epoch, CancellationToken cancellation)
    {
        try
        {
            await LaterTermAsync(epoch, LookWhileLinked, cancellation);
            session.End();
        }
        catch (OperationCanceledException)
        {
            // The link has ended by itself.
        }
    }

    /// <summary>Ends when somebody names the leader of a later term.</summary>
    private async Task LaterTermAsync(long epoch, TimeSpan between, CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(between, cancellation);
            if (await FindAsync(cancellation) is { } view && view.Epoch > epoch)
                return;
        }
    }

    private async Task<LeaderView?> AskAsync(string coordinator, CancellationToken cancellation)
    {
        try
        {
            return await LeaderQuestion.AskAsync(http, secret, coordinator, IsWaiting ? WaitsAs : null, cancellation);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && e is HttpRequestException or OperationCanceledException or JsonException or UriFormatException or InvalidDataException)
        {
            LastFailure = $"{coordinator}: {e.Message}";
            return null;
        }
    }

    private async Task LinkAsync(string leader, long epoch, CancellationToken cancellation)
    {
        using ClientWebSocket socket = new();
        socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(1);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(3);
        try
        {
            LinkSession session = await GreetAsync(socket, leader, epoch, cancellation);
            await using (session)
            {
                using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                Task leaving = LeaveForLaterTermAsync(session, epoch, ended.Token);
                await hub.CarryAsync(session, () => Up(session.Peer, leader, epoch), cancellation);
                await ended.CancelAsync();
                await leaving;
            }
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && e is WebSocketException or InvalidDataException or OperationCanceledException or IOException or HttpRequestException)
        {
            LastFailure = $"{leader}: {(e is OperationCanceledException ? "no answer" : e.Message)}";
        }
        finally
        {
            if (IsUp)
                aloneSince = Stopwatch.GetTimestamp();
            Leader = null;
        }
    }

    /// <summary>Connects and greets, for as long as nobody later leads and the patience lasts.</summary>
    private async Task<LinkSession> GreetAsync(ClientWebSocket socket, string leader, long epoch, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        Task<LinkSession> greeting = ConnectAsync(socket, leader, patience.Token);
        Task later = LaterTermAsync(epoch, Between, patience.Token);
        if (await Task.WhenAny(greeting, later) != greeting)
            await patience.CancelAsync();
        try
        {
            return await greeting;
        }
        finally
        {
            await patience.CancelAsync();
        }
    }

    private async Task<LinkSession> ConnectAsync(ClientWebSocket socket, string leader, CancellationToken cancellation)
    {
        await socket.ConnectAsync(new UriBuilder(leader) { Scheme = "ws", Path = "/link" }.Uri, cancellation);
        return await LinkSession.GreetAsync(socket, secret, host.Name, cancellation);
    }

    private void Up(string peer, string leader, long epoch)
    {
        highest = Math.Max(highest, epoch);
        Leader = leader;
        LastFailure = "it is linked, and has not answered this";
        host.PlayRole(Roles.Dispatcher, new ActorAddress($"//{peer}/{Roles.Dispatcher}"));
        host.PlayRole(Roles.Cluster, new ActorAddress($"//{peer}/{Roles.Cluster}"));
        Reached?.Invoke(peer);
    }
}
