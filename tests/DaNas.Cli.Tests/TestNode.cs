using System.Collections.Concurrent;
using System.Net;
using DaNas.Drills;
using DaNas.Runtime.Blobs.Http;
using DaNas.Runtime.Cluster;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Tests;

/// <summary>A node's HTTPS port, with or without certificates, in a folder of its own.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private TestNode(NodeServer server, ConcurrentQueue<string> refused) => (Server, Refused) = (server, refused);

    public NodeServer Server { get; }

    public NodeSettings Settings => Server.Settings;

    /// <summary>Who was refused, and why.</summary>
    public ConcurrentQueue<string> Refused { get; }

    public static async Task<TestNode> StartAsync(Certificates? certificates = null)
    {
        int port = DrillCluster.FreePort();
        NodeSettings settings = new("n", "c", new IPEndPoint(IPAddress.Loopback, port),
            new IPEndPoint(IPAddress.Loopback, port), new NodeAddress("127.0.0.1", port, port),
            new OutputFolder(Directory.CreateTempSubdirectory("danas-node-").FullName))
        { Certificates = certificates };
        ConcurrentQueue<string> refused = new();
        NodeServer server = new(settings, (who, why) => refused.Enqueue($"{who}: {why}"));
        await server.StartAsync();
        return new TestNode(server, refused);
    }

    public static BlobClient Client(Certificates? certificates = null) => NodeHttp.Blobs(certificates);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Directory.Delete(Settings.Folder.Root, true);
    }
}
