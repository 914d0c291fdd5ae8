using System.Net.WebSockets;
using System.Text.Json;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Domain.Values;
using DaNas.Storage.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DaNas.Cli.Nodes;

/// <summary>
/// The one port of a node: <c>/link</c> (WebSocket, to the leader only), <c>/akka</c> (between the members of an Akka cluster), <c>/leader</c> (who that is), <c>/blobs</c>, <c>/healthz</c> and <c>/readyz</c>.
/// Whoever does not know the secret learns who leads, and nothing else.
/// </summary>
internal sealed class NodeServer : IAsyncDisposable
{
    public const string MembersPath = "/akka";

    private const int MostConnections = 2_000;

    private readonly Action<string, string> refused;
    private readonly WebApplication app;
    private (LinkHub Hub, string Host)? leading;

    public NodeServer(NodeSettings settings, Action<string, string> refused)
    {
        Settings = settings;
        this.refused = refused;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxConcurrentConnections = MostConnections;
            k.Limits.MaxConcurrentUpgradedConnections = MostConnections;
            k.Limits.MaxRequestBodySize = 0;
            k.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
            k.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            k.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(15);
            k.Listen(settings.Listen);
        });
        app = builder.Build();
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(1), KeepAliveTimeout = TimeSpan.FromSeconds(4) });
        app.MapGet("/healthz", () => "alive\n");
        app.MapGet("/readyz", () => Ready() ? Results.Text("ready\n") : Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        app.MapGet(LeaderQuestion.Path, (HttpContext http) => Leader(http));
        app.MapBlobs(settings.BlobFolderOf, (code, search, digest) => settings.Secret.Proves(code, "blob", search, digest));
        app.Map("/link", http => CarryAsync(http, leading is { } leader ? (socket, stop) => LinkAsync(leader, socket, stop) : null));
        app.Map(MembersPath, http => CarryAsync(http, Members));
    }

    public NodeSettings Settings { get; }

    /// <summary>What this node knows of the leader.</summary>
    public LeaderView View { get; set; } = new(null, 0, ValueList<string>.Empty);

    /// <summary>Whether this node does its part.</summary>
    public Func<bool> Ready { get; set; } = () => false;

    /// <summary>Takes connections of other members of an Akka cluster; null where there is none.</summary>
    public Func<WebSocket, CancellationToken, Task>? Members { get; set; }

    /// <summary>Nodes that ask here for the leader because they do not reach the one that is named.</summary>
    public WaitingNodes Waiting { get; } = new();

    public Task StartAsync() => app.StartAsync();

    /// <summary>Lets others link to this host.</summary>
    public void Lead(LinkHub hub, string host) => leading = (hub, host);

    public void StepDown() => leading = null;

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(2));
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
    }

    private IResult Leader(HttpContext http)
    {
        string nonce = http.Request.Query["nonce"].ToString();
        if (LeaderQuestion.WaitingNode(http.Request, Settings.Secret, nonce, Settings.Advertise) is { } node)
            Waiting.Add(node);
        string body = JsonSerializer.Serialize(View, DomainJson.Stored);
        http.Response.Headers[LeaderQuestion.Proof] = Settings.Secret.Proof("leader", nonce, body);
        return Results.Text(body, "application/json");
    }

    private async Task LinkAsync((LinkHub Hub, string Host) leader, WebSocket socket, CancellationToken stop)
    {
        await using LinkSession session = await LinkSession.WelcomeAsync(socket, Settings.Secret, leader.Host, stop);
        await leader.Hub.CarryAsync(session, null, stop);
    }

    private async Task CarryAsync(HttpContext http, Func<WebSocket, CancellationToken, Task>? carry)
    {
        bool fromPage = http.Request.Headers.Origin.Count > 0; // A page in somebody's browser, which reaches loopback; nodes send none.
        if (!http.WebSockets.IsWebSocketRequest || carry is null || fromPage)
        {
            http.Response.StatusCode = fromPage ? StatusCodes.Status403Forbidden : carry is null ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status400BadRequest;
            return;
        }

        using WebSocket socket = await http.WebSockets.AcceptWebSocketAsync();
        try
        {
            await carry(socket, http.RequestAborted);
        }
        catch (Exception e) when (e is InvalidDataException or WebSocketException or IOException or OperationCanceledException or TimeoutException)
        {
            if (e is InvalidDataException)
                refused($"{http.Connection.RemoteIpAddress}", e.Message);
            socket.Abort();
        }
    }
}
