using System.Collections.Concurrent;
using DaNas.Actors.Cluster;

namespace DaNas.Actors.Tests;

/// <summary>Leadership, loss and death watch between nodes of an Akka cluster: who has the store's word decides, and nobody else.</summary>
public sealed partial class AkkaClusterTests : IAsyncDisposable
{
    [Fact]
    public async Task The_oldest_coordinator_leads_and_everybody_hears_of_it()
    {
        (Node a, Node b, Node t) = await ThreeAsync();
        foreach (Node node in new[] { a, b, t })
            node.Host.Resolve(Roles.Dispatcher).ShouldBe(new ActorAddress("//a:1/dispatcher"));
        b.Begun.ShouldBeFalse();
        b.Host.TrainersReached.ShouldBe(1);
        (await UntilAsync(() => t.Host.Coordinators.Count == 2, 20)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_leader_that_is_cut_off_and_loses_the_word_is_followed_by_the_next()
    {
        (Node a, Node b, Node t) = await ThreeAsync();
        net.Cut("a");
        store.Take("a");
        (await UntilAsync(() => b.Begun && t.Host.Leader == "b:1", 30)).ShouldBeTrue();
        b.Lost.ShouldContain(c => c.StartsWith("a:1", StringComparison.Ordinal));
        store.Holder.ShouldBe("b");
        a.Lost.ShouldBeEmpty();
        net.Mend();
        (await a.Host.Fatal.WaitAsync(TimeSpan.FromSeconds(30))).ShouldContain("took this node for lost");
        t.Host.IsRemembered.ShouldBeTrue();
        b.Host.IsRemembered.ShouldBeTrue();
    }

    [Fact]
    public async Task Without_the_word_nobody_is_taken_for_lost_and_with_it_the_others_are()
    {
        (Node a, Node b, Node t) = await ThreeAsync();
        net.Cut("a"); // The leader keeps the word: from its side the other two are lost.
        (await UntilAsync(() => a.Lost.Count == 2, 30)).ShouldBeTrue();
        await Task.Delay(3000);
        b.Lost.ShouldBeEmpty();
        b.Begun.ShouldBeFalse();
        b.Host.Knows("a:1").ShouldBe((true, false));
        t.Host.Knows("b:1").ShouldBe((true, true));
    }

    [Fact]
    public async Task A_leader_that_leaves_hands_over_at_once()
    {
        (Node a, Node b, Node t) = await ThreeAsync();
        await a.Host.DisposeAsync();
        (await UntilAsync(() => b.Begun && t.Host.Leader == "b:1", 30)).ShouldBeTrue();
        a.Begun.ShouldBeFalse();
        b.Lost.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_actor_hears_of_the_end_of_one_on_another_node_and_of_the_end_of_that_node()
    {
        (Node a, Node _, Node t) = await ThreeAsync();
        ConcurrentQueue<string> heard = [];
        ActorAddress watcher = a.Host.Spawn("watcher", () => new Watcher(heard));
        ActorAddress first = t.Host.Spawn("first", () => new Speaker(watcher));
        ActorAddress second = t.Host.Spawn("second", () => new Speaker(watcher));
        (await UntilAsync(() => heard.Count == 2, 20)).ShouldBeTrue();
        heard.Order().ShouldBe([$"ListSearches from {first}", $"ListSearches from {second}"]);
        (await UntilAsync(() => t.Lost.Count == 2, 20)).ShouldBeTrue(); // Both were answered.
        a.Host.Tell(first, new ClusterProtocol.ListNodes("x"));
        (await UntilAsync(() => heard.Contains($"end of {first}"), 20)).ShouldBeTrue();
        heard.ShouldNotContain($"end of {second}");
        net.Cut("t");
        (await UntilAsync(() => heard.Contains($"end of {second}"), 30)).ShouldBeTrue();
        net.Mend();
        (await UntilAsync(() => t.Host.Fatal.IsCompleted || !t.Host.IsRemembered, 20)).ShouldBeTrue(); // It need not believe for ever that it is a member.
    }

    /// <summary>Akka's JSON makes an object of whatever type the bytes name: whoever may connect could choose it.</summary>
    [Fact]
    public async Task What_another_node_says_is_JSON_is_not_read_and_a_type_without_a_manifest_is_not_written()
    {
        Node a = Start("a", "coordinator");
        (await UntilAsync(() => a.Begun, 20)).ShouldBeTrue();
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes("{\"$id\":\"1\",\"$type\":\"System.IO.FileInfo, System.Private.CoreLib\",\"OriginalPath\":\"/tmp/x\"}");
        Should.Throw<Exception>(() => a.Host.Deserialize(bytes, 1, string.Empty)).Message.ShouldContain("not read");
        Should.Throw<Exception>(() => a.Host.Deserialize(bytes, 20_031_258, "System.IO.FileInfo")).Message.ShouldContain("unknown manifest");
        Should.Throw<Exception>(() => a.Host.Serialize(new Uri("http://x"))).Message.ShouldContain("no place in the wire format");
    }

    /// <summary>a leads, b stands by, t trains.</summary>
    private async Task<(Node A, Node B, Node T)> ThreeAsync()
    {
        Node a = Start("a", "coordinator");
        (await UntilAsync(() => a.Host.IsMember && a.Begun, 20)).ShouldBeTrue();
        Node b = Start("b", "coordinator", "a", "b");
        Node t = Start("t", "trainer", "a", "b");
        (await UntilAsync(() => b.Host.Leader == "a:1" && t.Host.Leader == "a:1" && b.Host.TrainersReached == 1, 30)).ShouldBeTrue();
        return (a, b, t);
    }
}
