using System.Net.WebSockets;
using System.Text;
using DaNas.Actors;
using DaNas.Actors.Cluster;
using DaNas.Actors.Embedded;
using DaNas.Actors.Embedded.Links;
using DaNas.Actors.Logging;
using DaNas.Cli.Nodes;

namespace DaNas.Cli.Tests;

/// <summary>Connections between members of an Akka cluster over the node's port, and clients of such a cluster; without Akka itself.</summary>
public sealed class MemberConnectionTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Frames_arrive_whole_and_in_order_and_the_last_one_before_the_end()
    {
        await using TestNode node = await TestNode.StartAsync();
        List<string> heard = [];
        TaskCompletionSource<string> ended = new();
        Take(node, (channel, stop) => channel.CarryAsync(bytes => heard.Add(Encoding.UTF8.GetString(bytes.Span)), stop), ended);
        using ClientWebSocket socket = await ConnectAsync(node, null);
        await using SecretChannel channel = await SecretChannel.GreetAsync(socket, node.Secret, "127.0.0.1:7777", Never);
        Task carrying = channel.CarryAsync(_ => { }, Never);
        for (int i = 0; i < 500; i++)
            channel.Send(Encoding.UTF8.GetBytes($"frame {i}")).ShouldBeTrue();
        channel.Close();
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await carrying;
        heard.ShouldBe([.. Enumerable.Range(0, 500).Select(i => $"frame {i}")]);
        channel.Send([1]).ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_does_not_know_the_secret_or_comes_from_a_web_page_is_no_member()
    {
        await using TestNode node = await TestNode.StartAsync();
        using (ClientWebSocket early = new())
            await Should.ThrowAsync<WebSocketException>(() => early.ConnectAsync(UriOf(node), Never)); // Not a member itself yet.
        int welcomed = 0;
        Take(node, (_, _) => Task.FromResult($"{++welcomed}"), new());
        using ClientWebSocket wrong = await ConnectAsync(node, null);
        await Should.ThrowAsync<InvalidDataException>(() => SecretChannel.GreetAsync(wrong, node.NewSecret("another secret, long enough too"), "127.0.0.1:7777", Never));
        (await Should.ThrowAsync<WebSocketException>(() => ConnectAsync(node, "http://evil.example"))).Message.ShouldContain("403");
        using ClientWebSocket good = await ConnectAsync(node, null);
        await using SecretChannel channel = await SecretChannel.GreetAsync(good, node.Secret, "127.0.0.1:7777", Never);
        await channel.CarryAsync(_ => { }, Never).WaitAsync(TimeSpan.FromSeconds(20));
        welcomed.ShouldBe(1);
    }

    [Fact]
    public async Task A_clients_question_goes_to_the_reception_and_nothing_else_gets_through_the_gateway()
    {
        await using EmbeddedHost host = new(new HostOptions(), null, new Log(), TimeProvider.System) { Name = "leader" };
        List<object> asked = [];
        host.Spawn(Roles.Cluster, () => new Desk(asked));
        ClientGateway gateway = new(host, new Log());
        ActorAddress client = new("//client~1/questions");
        gateway.Arrived(new ActorAddress("//leader/dispatcher"), client, new ClusterProtocol.ListSearches("q1"));
        gateway.Arrived(host.AddressOf(Roles.Cluster), client, new ClusterProtocol.NodeHere(new NodeInfo("x", "http://x:1", 1, "none")));
        gateway.Arrived(host.AddressOf(Roles.Cluster), null, new ClusterProtocol.ListSearches("q2"));
        for (int i = 0; i < 100 && Count() < 1; i++)
            await Task.Delay(20);
        await Task.Delay(100);
        lock (asked)
            asked.ShouldBe([new ClusterProtocol.ListSearches("q1")]); // To the reception, whatever address it was sent to.

        int Count()
        {
            lock (asked)
                return asked.Count;
        }
    }

    private static void Take(TestNode node, Func<SecretChannel, CancellationToken, Task<string>> carry, TaskCompletionSource<string> ended) => node.Server.Members = async (socket, stop) =>
    {
        await using SecretChannel channel = await SecretChannel.WelcomeAsync(socket, node.Secret, $"127.0.0.1:{node.Port}", stop);
        ended.TrySetResult(await carry(channel, stop));
    };

    private static Uri UriOf(TestNode node) => new($"ws://127.0.0.1:{node.Port}{NodeServer.MembersPath}");

    private static async Task<ClientWebSocket> ConnectAsync(TestNode node, string? origin)
    {
        ClientWebSocket socket = new();
        if (origin is not null)
            socket.Options.SetRequestHeader("Origin", origin);
        await socket.ConnectAsync(UriOf(node), Never);
        return socket;
    }

    private sealed class Desk(List<object> asked) : IActor
    {
        public void Receive(IActorContext context, object message)
        {
            lock (asked)
                asked.Add(message);
            context.Tell(context.Sender!, new ClusterProtocol.Answer(((IAsk)message).Ask, null));
        }
    }

    private sealed class Log : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
