using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Embedded.Postgres;
using DaNas.Cli.Configuration;
using DaNas.Cli.Nodes;
using DaNas.Domain.Values;
using DaNas.Storage.Http;

namespace DaNas.Cli.Tests;

/// <summary>Attacks on a node's port: none gets in, nothing crashes, and whoever knows the secret still gets through afterwards.</summary>
public sealed class NodeSecurityTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Whoever_knows_the_secret_gets_through_and_whoever_does_not_does_not()
    {
        await using TestNode node = await TestNode.StartAsync();
        await Through(node, "good", 1);
        using ClientWebSocket wrong = await node.ConnectAsync();
        await Should.ThrowAsync<InvalidDataException>(() => LinkSession.GreetAsync(wrong, node.NewSecret("another secret, long enough too"), "bad", Never));
        using ClientWebSocket liar = await node.ConnectAsync();
        string nonce = LinkSecret.Nonce();
        await SendText(liar, $"{{\"version\":1,\"name\":\"liar\",\"nonce\":\"{nonce}\",\"proof\":null}}");
        await liar.ReceiveAsync(new byte[4000], Never);
        await SendText(liar, $"{{\"version\":1,\"name\":\"liar\",\"nonce\":\"{nonce}\",\"proof\":\"{new string('0', 64)}\"}}");
        await IsClosed(liar);
        node.Refused.ShouldContain(r => r.Contains("liar", StringComparison.Ordinal));
        await Through(node, "good-again", 2);
    }

    [Fact]
    public async Task What_was_overheard_cannot_be_said_again()
    {
        await using TestNode node = await TestNode.StartAsync();
        TappedSocket tapped = new(await node.ConnectAsync());
        await Say(tapped, node, "victim", 1);
        (await node.HeardAsync(1)).ShouldBe(1);
        using ClientWebSocket replay = await node.ConnectAsync();
        await replay.SendAsync(tapped.Sent[0].Bytes, tapped.Sent[0].Type, true, Never);
        await replay.ReceiveAsync(new byte[4000], Never);
        foreach ((byte[] bytes, WebSocketMessageType type) in tapped.Sent.Skip(1))
            await TrySend(replay, bytes, type);
        await IsClosed(replay);
        (await node.HeardAsync(2)).ShouldBe(1);
        await Through(node, "good", 2);
    }

    [Theory]
    [InlineData("changed")]
    [InlineData("doubled")]
    [InlineData("oversized")]
    public async Task A_frame_that_is_changed_doubled_or_too_large_ends_the_session(string attack)
    {
        await using TestNode node = await TestNode.StartAsync();
        ClientWebSocket socket = await node.ConnectAsync();
        byte[]? before = null;
        TappedSocket tapped = new(socket, (n, bytes) =>
        {
            if (n < 3)
            {
                before = bytes;
                return bytes;
            }

            return attack switch
            {
                "changed" => [.. bytes[..^3], (byte)(bytes[^3] ^ 1), .. bytes[^2..]],
                "doubled" => before!,
                _ => new byte[5 * 1024 * 1024],
            };
        });
        await Say(tapped, node, "attacker", 3);
        (await node.HeardAsync(2)).ShouldBe(1); // The first message alone.
        await IsClosed(socket);
        await Through(node, "good", 2);
    }

    [Fact]
    public async Task Nobody_can_speak_for_another_host_or_send_what_has_no_manifest()
    {
        await using TestNode node = await TestNode.StartAsync();
        using ClientWebSocket socket = await node.ConnectAsync();
        await using LinkSession session = await LinkSession.GreetAsync(socket, node.Secret, "mallory", Never);
        session.Send(TestNode.Cluster, new Actors.ActorAddress("//somebody-else/node"), new ClusterProtocol.ListNodes("x"));
        await session.CarryAsync((_, _, _) => { }, Never).WaitAsync(TimeSpan.FromSeconds(20));
        node.Heard.ShouldBeEmpty();
        Should.Throw<InvalidDataException>(() => Actors.Wire.WireFormat.Read("System.Diagnostics.Process", "{}"u8));
        Should.Throw<InvalidDataException>(() => Actors.Wire.WireFormat.ManifestOf(new Uri("http://x")));
    }

    [Fact]
    public async Task A_blob_is_given_only_for_its_own_code_and_no_path_leads_out_of_the_folder()
    {
        await using TestNode node = await TestNode.StartAsync();
        Storage.FileBlobStore store = new(node.Settings.BlobFolderOf("s1")!);
        BlobRef blob = store.Put("weights"u8);
        BlobRef other = store.Put("others"u8);
        await File.WriteAllTextAsync(Path.Combine(node.Settings.Folder.Root, "private.txt"), "private");
        using HttpClient http = new();
        (await Status(http, node, $"/blobs/s1/{blob.Digest.Hex}", node.Settings.Prove("s1", blob.Digest.Hex))).ShouldBe(HttpStatusCode.OK);
        (await Status(http, node, $"/blobs/s1/{blob.Digest.Hex}", null)).ShouldBe(HttpStatusCode.NotFound);
        (await Status(http, node, $"/blobs/s1/{blob.Digest.Hex}", node.Settings.Prove("s1", other.Digest.Hex))).ShouldBe(HttpStatusCode.NotFound);
        foreach (string path in new[] { "../../private.txt", "..%2f..%2fprivate.txt", "%2e%2e/%2e%2e/private.txt", "s1/../../../private.txt", "s1/%2e%2e%2f%2e%2e%2fprivate.txt", "./s1", "s1%00/x", "~/x" })
            (await Status(http, node, $"/blobs/{path}", node.Settings.Prove("s1", "x"))).ShouldNotBe(HttpStatusCode.OK, path);
        foreach (string name in new[] { "..", ".", "a/b", "a\\b", "", ".hidden", new string('x', 101), "a\0b" })
            node.Settings.BlobFolderOf(name).ShouldBeNull(name);
        using BlobClient client = new(node.Settings.Prove);
        Storage.FileBlobStore here = new(Path.Combine(node.Settings.Folder.Root, "elsewhere"));
        await client.EnsureAsync(here, "s1", blob, ["http://127.0.0.1:1", node.Settings.Advertise], Never);
        here.Get(blob).ShouldBe("weights"u8.ToArray());
        File.WriteAllText(Path.Combine(node.Settings.BlobFolderOf("s1")!, other.Digest.Hex[..2], other.Digest.Hex), "forged");
        Ports.BlobException forged = await Should.ThrowAsync<Ports.BlobException>(() => client.EnsureAsync(here, "s1", other, [node.Settings.Advertise], Never));
        forged.Fault.ShouldBe(Ports.BlobFault.Lost);
        forged.Message.ShouldContain("none of the nodes");
        here.Contains(other).ShouldBeFalse();
    }

    [Fact]
    public async Task Ten_thousand_frames_of_junk_change_nothing()
    {
        await using TestNode node = await TestNode.StartAsync();
        Random random = new(1);
        int sent = 0;
        for (int connection = 0; sent < 6_000; connection++)
        {
            using ClientWebSocket socket = await node.ConnectAsync();
            LinkSession? session = connection % 2 == 0 ? await LinkSession.GreetAsync(socket, node.Secret, $"junk-{connection}", Never) : null;
            while (sent < 6_000 && await TrySend(socket, Junk(random), random.Next(2) == 0 ? WebSocketMessageType.Binary : WebSocketMessageType.Text))
                sent++; // Until it is hung up on.
            if (session is not null)
                await session.DisposeAsync();
        }

        while (sent < 10_000)
        {
            using TcpClient tcp = new();
            await tcp.ConnectAsync(IPAddress.Loopback, node.Port);
            try
            {
                for (; sent < 10_000; sent++)
                    await tcp.GetStream().WriteAsync(Junk(random));
            }
            catch (IOException)
            {
                // It was hung up on, as it should be.
            }
        }

        node.Heard.ShouldBeEmpty();
        await Through(node, "good", 1);
    }

    [Fact]
    public async Task Connections_that_say_nothing_are_dropped_and_keep_nobody_out()
    {
        await using TestNode node = await TestNode.StartAsync();
        List<TcpClient> silent = [];
        for (int i = 0; i < 200; i++)
        {
            TcpClient tcp = new();
            await tcp.ConnectAsync(IPAddress.Loopback, node.Port);
            if (i % 2 == 0)
                await tcp.GetStream().WriteAsync("GET /link HTTP/1.1\r\nHost: x\r\n"u8.ToArray()); // And never ends.
            silent.Add(tcp);
        }

        using ClientWebSocket half = await node.ConnectAsync();
        await Through(node, "good", 1);
        await IsClosed(half); // No greeting within its patience.
        (await silent[0].GetStream().ReadAsync(new byte[1000]).AsTask().WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeGreaterThanOrEqualTo(0);
        silent.ForEach(t => t.Dispose());
    }

    [Fact]
    public async Task Who_leads_is_believed_only_from_somebody_who_knows_the_secret_and_waiting_counts_only_with_a_code()
    {
        await using TestNode node = await TestNode.StartAsync();
        node.Server.View = new LeaderView("http://c:1", 7, ["http://c:1"]);
        string here = $"http://127.0.0.1:{node.Port}";
        using HttpClient http = new();
        (await LeaderQuestion.AskAsync(http, node.Secret, here, null, Never))!.Epoch.ShouldBe(7);
        LinkSecret other = node.NewSecret("another secret, long enough too");
        await Should.ThrowAsync<InvalidDataException>(() => LeaderQuestion.AskAsync(http, other, here, "liar", Never));
        node.Server.Waiting.Count.ShouldBe(0);
        await LeaderQuestion.AskAsync(http, node.Secret, here, "t1", Never);
        await LeaderQuestion.AskAsync(http, node.Secret, here, "t1", Never);
        node.Server.Waiting.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_message_of_a_later_version_is_dropped_and_the_link_lives_on()
    {
        await using TestNode node = await TestNode.StartAsync();
        using ClientWebSocket socket = await node.ConnectAsync();
        byte[] key = await GreetByHandAsync(socket, node, "newer");
        (string Manifest, string Body)[] said = [("list-nodes/1", "{\"ask\":\"a\"}"), ("list-nodes/9", "{\"ask\":\"b\",\"more\":1}"), ("list-nodes/1", "{\"ask\":\"c\",\"more\":1}"), ("list-nodes/1", "{\"ask\":\"d\"}")];
        for (int i = 0; i < said.Length; i++)
        {
            byte[] content = Encoding.UTF8.GetBytes($"{TestNode.Cluster.Path}\n//newer/me\n{said[i].Manifest}\n{said[i].Body}");
            byte[] code = System.Security.Cryptography.HMACSHA256.HashData(key, (byte[])[.. BitConverter.GetBytes(i + 1L), .. content]);
            await socket.SendAsync((byte[])[.. code[..16], .. content], WebSocketMessageType.Binary, true, Never);
        }

        (await node.HeardAsync(2)).ShouldBe(2);
        node.Heard.Cast<ClusterProtocol.ListNodes>().Select(m => m.Ask).ShouldBe(["a", "d"]);
    }

    /// <summary>The greeting without any of the product's code; the key of this side's frames.</summary>
    private static async Task<byte[]> GreetByHandAsync(WebSocket socket, TestNode node, string name)
    {
        string nonce = LinkSecret.Nonce();
        await SendText(socket, $"{{\"version\":1,\"name\":\"{name}\",\"nonce\":\"{nonce}\",\"proof\":null}}");
        byte[] answer = new byte[4000];
        int length = (await socket.ReceiveAsync(answer, Never)).Count;
        string theirs = System.Text.Json.JsonDocument.Parse(answer.AsMemory(0, length)).RootElement.GetProperty("nonce").GetString()!;
        await SendText(socket, $"{{\"version\":1,\"name\":\"{name}\",\"nonce\":\"{nonce}\",\"proof\":\"{node.Secret.Proof("client", nonce, theirs, name, TestNode.Host)}\"}}");
        return node.Secret.Code("to-server", nonce, theirs);
    }

    private static byte[] Junk(Random random)
    {
        byte[] bytes = new byte[random.Next(1, 2000)];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A proper session says one thing, and it is heard.</summary>
    private static async Task Through(TestNode node, string name, int heard)
    {
        await Say(await node.ConnectAsync(), node, name, 1);
        (await node.HeardAsync(heard)).ShouldBe(heard);
    }

    private static async Task Say(WebSocket socket, TestNode node, string name, int times)
    {
        await using LinkSession session = await LinkSession.GreetAsync(socket, node.Secret, name, Never);
        using CancellationTokenSource end = new();
        Task carrying = session.CarryAsync((_, _, _) => { }, end.Token);
        for (int i = 0; i < times; i++)
        {
            session.Send(TestNode.Cluster, new Actors.ActorAddress($"//{name}/me"), new ClusterProtocol.ListNodes($"{name}-{i}"));
            await Task.Delay(100);
        }

        await end.CancelAsync();
        await carrying;
    }

    private static Task SendText(WebSocket socket, string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, Never);

    /// <summary>False when the other side has hung up.</summary>
    private static async Task<bool> TrySend(WebSocket socket, byte[] bytes, WebSocketMessageType type)
    {
        try
        {
            await socket.SendAsync(bytes, type, true, Never);
            return true;
        }
        catch (Exception e) when (e is WebSocketException or InvalidOperationException or ObjectDisposedException)
        {
            return false;
        }
    }

    private static async Task IsClosed(ClientWebSocket socket)
    {
        try
        {
            byte[] rest = new byte[16 * 1024];
            while ((await socket.ReceiveAsync(rest, Never).WaitAsync(TimeSpan.FromSeconds(30))).MessageType != WebSocketMessageType.Close)
            {
                // What was on the way.
            }
        }
        catch (Exception e) when (e is WebSocketException or InvalidOperationException or ObjectDisposedException)
        {
            // Hung up without a word.
        }
    }

    private static async Task<HttpStatusCode> Status(HttpClient http, TestNode node, string path, string? code)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri($"http://127.0.0.1:{node.Port}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (code is not null)
            request.Headers.Add(BlobEndpoint.CodeHeader, code);
        using HttpResponseMessage response = await http.SendAsync(request);
        return response.StatusCode;
    }
}
