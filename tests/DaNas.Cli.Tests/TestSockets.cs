using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using DaNas.Actors;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Actors.Logging;
using DaNas.Cli.Nodes;
using DaNas.Cli.Running;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace DaNas.Cli.Tests;

/// <summary>A leading node on loopback with a secret, and what reaches its actors.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    public const string Host = "c~1";

    private readonly string folder = Directory.CreateTempSubdirectory("danas-node-").FullName;
    private readonly EmbeddedHost host;
    private readonly NodeServer server;

    private TestNode()
    {
        Port = FreePort();
        Secret = NewSecret("the secret of this test, long enough");
        Settings = new NodeSettings("c", "test", new IPEndPoint(IPAddress.Loopback, Port), $"http://127.0.0.1:{Port}", [], Secret, new OutputFolder(folder))
        {
            Roles = [NodeSettings.Coordinator],
            Journal = new PostgresServer("postgres://nobody@127.0.0.1:1/nothing"),
        };
        server = new NodeServer(Settings, (_, why) =>
        {
            lock (Refused)
                Refused.Add(why);
        });
        host = new EmbeddedHost(new HostOptions(), null, new NoLog(), TimeProvider.System) { Name = Host };
        LinkHub hub = new(host);
        host.Links = hub;
        host.Listen("cluster", m =>
        {
            lock (Heard)
                Heard.Add(m);
        });
        server.Lead(hub, Host);
    }

    public int Port { get; }

    public LinkSecret Secret { get; }

    public NodeSettings Settings { get; }

    public List<object> Heard { get; } = [];

    public List<string> Refused { get; } = [];

    public NodeServer Server => server;

    public Uri Link => new($"ws://127.0.0.1:{Port}/link");

    public static ActorAddress Cluster => new($"//{Host}/cluster");

    public static async Task<TestNode> StartAsync()
    {
        TestNode node = new();
        await node.server.StartAsync();
        return node;
    }

    public LinkSecret NewSecret(string text)
    {
        string file = Path.Combine(folder, $"secret-{Guid.NewGuid():N}");
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return LinkSecret.FromFile(file);
    }

    public async Task<ClientWebSocket> ConnectAsync()
    {
        ClientWebSocket socket = new();
        await socket.ConnectAsync(Link, CancellationToken.None);
        return socket;
    }

    /// <summary>Waits until so many messages were heard, or a few seconds have passed; how many there are.</summary>
    public async Task<int> HeardAsync(int count)
    {
        for (int i = 0; i < 100; i++)
        {
            lock (Heard)
            {
                if (Heard.Count >= count)
                    break;
            }

            await Task.Delay(30);
        }

        lock (Heard)
            return Heard.Count;
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, true);
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private sealed class NoLog : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}

/// <summary>A socket that keeps what goes out through it, and may change it on the way.</summary>
internal sealed class TappedSocket(WebSocket inner, Func<int, byte[], byte[]>? change = null) : WebSocket
{
    public List<(byte[] Bytes, WebSocketMessageType Type)> Sent { get; } = [];

    public override WebSocketCloseStatus? CloseStatus => inner.CloseStatus;

    public override string? CloseStatusDescription => inner.CloseStatusDescription;

    public override string? SubProtocol => inner.SubProtocol;

    public override WebSocketState State => inner.State;

    public override void Abort() => inner.Abort();

    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => inner.CloseAsync(closeStatus, statusDescription, cancellationToken);

    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => inner.CloseOutputAsync(closeStatus, statusDescription, cancellationToken);

    public override void Dispose() => inner.Dispose();

    public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => inner.ReceiveAsync(buffer, cancellationToken);

    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        byte[] bytes = change?.Invoke(Sent.Count, [.. buffer]) ?? [.. buffer];
        Sent.Add((bytes, messageType));
        return inner.SendAsync(bytes, messageType, endOfMessage, cancellationToken);
    }
}
