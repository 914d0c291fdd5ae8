using Akka.Actor;
using Akka.Configuration;

namespace DaNas.SimulationKit.Tests;

/// <summary>
/// The kit's sample: three small actors, each right and with a defect that only Akka's own behaviour brings about (a stash that overflows,
/// a timer that fires after a restart, a <see cref="Terminated"/> that overtakes a reply). The
/// right one holds for every seed, the wrong one is found within twenty.
/// </summary>
public sealed class SampleTests
{
    private const int Seeds = 100;

    [Fact]
    public void A_stash_that_overflows_loses_work()
    {
        ShouldHold(seed => Stashing(seed, bounded: false) == 6);
        ShouldBeFound(seed => Stashing(seed, bounded: true) == 6);
    }

    [Fact]
    public void A_timer_of_the_scheduler_outlives_a_restart_and_one_of_the_actor_does_not()
    {
        ShouldHold(seed => ShortestPatience(seed, ofTheActor: true) >= TimeSpan.FromSeconds(5));
        ShouldBeFound(seed => ShortestPatience(seed, ofTheActor: false) >= TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void The_end_of_an_actor_may_overtake_its_last_word()
    {
        ShouldHold(seed => Outcome(seed, patient: true).Verdict == "done");
        ShouldBeFound(seed => Outcome(seed, patient: false).Verdict == "done");
    }

    [Fact]
    public void A_seed_replays_to_the_last_turn_and_another_seed_is_another_history()
    {
        ulong[] first = [.. Enumerable.Range(1, Seeds).Select(s => Outcome((ulong)s, true).History)];
        ulong[] again = [.. Enumerable.Range(1, Seeds).Select(s => Outcome((ulong)s, true).History)];
        again.ShouldBe(first);
        first.Distinct().Count().ShouldBe(Seeds);
    }

    [Fact]
    public void Of_a_list_of_faults_only_what_is_needed_is_left()
    {
        int runs = 0;
        int[] faults = [.. Enumerable.Range(0, 40)];
        Shrinking.Minimal(faults, some =>
        {
            runs++;
            return some.Contains(7) && some.Contains(31);
        }).ShouldBe([7, 31]);
        runs.ShouldBeLessThan(60);
        Shrinking.Minimal(faults, _ => true).ShouldBeEmpty();
    }

    [Fact]
    public void Work_on_another_thread_is_refused_with_the_reason()
    {
        SimulatedWorld world = new(1);
        SimulatedNode node = world.AddNode("a", ConfigurationFactory.Empty);
        node.Start();
        IActorRef actor = node.System.ActorOf(Props.Create(() => new StashingActor(false)));
        world.After(TimeSpan.FromSeconds(1), () => { });
        world.RunUntil(() => world.Elapsed >= TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)).ShouldBeTrue();
        Thread stranger = new(() => actor.Tell(new Add()));
        stranger.Start();
        stranger.Join();
        Should.Throw<InvalidOperationException>(() => world.RunUntil(() => false, TimeSpan.FromMinutes(1))).Message
            .ShouldContain("another thread");
    }

    [Fact]
    public void A_message_from_another_thread_to_another_node_is_refused_too()
    {
        (SimulatedWorld world, IActorRef there, _) = TwoNodes();
        Thread stranger = new(() => there.Tell("hello"));
        stranger.Start();
        stranger.Join();
        Should.Throw<InvalidOperationException>(() => world.RunUntil(() => true, TimeSpan.FromMinutes(1))).Message
            .ShouldContain("another thread");
    }

    /// <summary>As in Akka.Remote: a reference has the number of the incarnation that it was given by.</summary>
    [Fact]
    public void A_reference_to_a_former_incarnation_reaches_nobody_and_one_by_path_reaches_the_newest()
    {
        (SimulatedWorld world, IActorRef byPath, List<string> heard) = TwoNodes();
        byPath.Tell("first");
        Run(world);
        IActorRef stale = ((ExtendedActorSystem)world.Nodes[0].System).Provider.ResolveActorRef(heard[0]);
        world.Nodes[1].System.Stop(Echo!);
        Run(world);
        Echo = world.Nodes[1].System.ActorOf(Props.Create(() => new EchoActor(heard)), "echo");
        stale.Tell("lost");
        Run(world);
        heard.Count.ShouldBe(1);
        byPath.Tell("found");
        Run(world);
        heard.Count.ShouldBe(2);
        heard[1].ShouldNotBe(heard[0]);
    }

    /// <summary>A watch of an actor in a process that is dead is answered, and one whose link is cut is not lost.</summary>
    [Fact]
    public void A_watch_ends_in_Terminated_whatever_the_link_and_the_process_are_like()
    {
        (SimulatedWorld world, IActorRef there, List<string> heard) = TwoNodes();
        there = Named(world, there, heard);
        world.Nodes[1].Crash();
        world.Nodes[0].System.ActorOf(Props.Create(() => new WatchingActor(there, heard)));
        Run(world);
        heard.ShouldBe(["terminated"]);

        (world, there, heard) = TwoNodes();
        there = Named(world, there, heard);
        world.Network.Cut("a", "b", TimeSpan.FromSeconds(10));
        world.Nodes[0].System.ActorOf(Props.Create(() => new WatchingActor(there, heard)));
        world.After(TimeSpan.FromSeconds(2), () => world.Nodes[1].System.Stop(Echo!));
        world.RunUntil(() => world.Elapsed > TimeSpan.FromSeconds(69.5), TimeSpan.FromHours(1)); // A minute had passed before the cut.
        heard.ShouldBeEmpty();
        Run(world);
        heard.ShouldBe(["terminated"]);
    }

    private IActorRef? Echo { get; set; }

    /// <summary>The reference of the incarnation that answers.</summary>
    private static IActorRef Named(SimulatedWorld world, IActorRef byPath, List<string> heard)
    {
        byPath.Tell("who");
        Run(world);
        string path = heard.ShouldHaveSingleItem();
        heard.Clear();
        return ((ExtendedActorSystem)world.Nodes[0].System).Provider.ResolveActorRef(path);
    }

    private static void Run(SimulatedWorld world)
    {
        TimeSpan until = world.Elapsed + TimeSpan.FromMinutes(1);
        world.After(TimeSpan.FromMinutes(1), () => { });
        world.RunUntil(() => world.Elapsed >= until, TimeSpan.FromHours(1)).ShouldBeTrue();
    }

    /// <summary>Nodes a and b, and an actor of b as a reaches it by its path; it notes itself at each message.</summary>
    private (SimulatedWorld World, IActorRef There, List<string> Heard) TwoNodes()
    {
        SimulatedWorld world = new(3);
        foreach (string name in new[] { "a", "b" })
            world.AddNode(name, ConfigurationFactory.Empty).Start();
        List<string> heard = [];
        Echo = world.Nodes[1].System.ActorOf(Props.Create(() => new EchoActor(heard)), "echo");
        return (world, ((ExtendedActorSystem)world.Nodes[0].System).Provider.ResolveActorRef("akka://b/user/echo"), heard);
    }

    private sealed class EchoActor : ReceiveActor
    {
        public EchoActor(List<string> heard) => ReceiveAny(_ => heard.Add(Akka.Serialization.Serialization.SerializedActorPath(Self)));
    }

    private sealed class WatchingActor : ReceiveActor
    {
        public WatchingActor(IActorRef watched, List<string> heard)
        {
            Context.Watch(watched);
            Receive<Terminated>(_ => heard.Add("terminated"));
        }
    }

    [Fact]
    public void What_lies_far_ahead_does_not_come_sooner()
    {
        SimulatedWorld world = new(7);
        List<int> order = [];
        world.After(TimeSpan.FromDays(365_000), () => order.Add(2));
        world.After(TimeSpan.FromDays(20), () => order.Add(1));
        while (world.Step())
        {
        }

        order.ShouldBe([1, 2]);
        world.Elapsed.ShouldBe(TimeSpan.FromDays(365_000));
    }

    private static void ShouldHold(Func<ulong, bool> holds) => Enumerable.Range(1, Seeds).Where(s => !holds((ulong)s)).ShouldBeEmpty();

    private static void ShouldBeFound(Func<ulong, bool> holds) => Enumerable.Range(1, 20).Where(s => !holds((ulong)s)).ShouldNotBeEmpty();

    /// <summary>Six additions at drawn moments; returns how many were counted.</summary>
    private static int Stashing(ulong seed, bool bounded)
    {
        SimulatedWorld world = new(seed);
        SimulatedNode node = world.AddNode("a", ConfigurationFactory.Empty);
        node.Start();
        Props props = Props.Create(() => new StashingActor(bounded));
        IActorRef actor = node.System.ActorOf(bounded ? props.WithStashCapacity(2) : props, "counter");
        for (int i = 0; i < 6; i++)
            world.After(world.Between(0, 0.1), () => actor.Tell(new Add(), ActorRefs.NoSender));
        int counted = 0;
        world.After(TimeSpan.FromSeconds(5), () => actor.Tell(new Report(n => counted = n), ActorRefs.NoSender));
        world.RunUntil(() => counted > 0, TimeSpan.FromSeconds(10)).ShouldBeTrue();
        return counted;
    }

    /// <summary>Two jobs with a crash between them; returns the shortest time after which one was given up.</summary>
    private static TimeSpan ShortestPatience(ulong seed, bool ofTheActor)
    {
        SimulatedWorld world = new(seed);
        SimulatedNode node = world.AddNode("a", ConfigurationFactory.Empty);
        node.Start();
        TimeSpan shortest = TimeSpan.MaxValue;
        TimeSpan began = TimeSpan.Zero;
        Action starts = () => began = world.Elapsed;
        Action givesUp = () => shortest = Least(shortest, world.Elapsed - began);
        IActorRef actor = node.System.ActorOf(Props.Create(() => new JobActor(ofTheActor, starts, givesUp)), "job");
        world.After(TimeSpan.Zero, () => actor.Tell(new Start(), ActorRefs.NoSender));
        TimeSpan crash = world.Between(0, 6);
        world.After(crash, () => actor.Tell(new Crash(), ActorRefs.NoSender));
        world.After(crash + world.Between(0, 1), () => actor.Tell(new Start(), ActorRefs.NoSender));
        world.RunUntil(() => false, TimeSpan.FromMinutes(1));
        return shortest;
    }

    /// <summary>A worker on another node says that it is done, and ends; what does the boss make of it?</summary>
    private static (string? Verdict, ulong History) Outcome(ulong seed, bool patient)
    {
        SimulatedWorld world = new(seed);
        world.Network.Lateness = 0.3;
        SimulatedNode here = world.AddNode("a", ConfigurationFactory.Empty);
        SimulatedNode there = world.AddNode("b", ConfigurationFactory.Empty);
        here.Start();
        there.Start();
        there.System.ActorOf(Props.Create(() => new WorkerActor()), "worker");
        string? verdict = null;
        Action<string> decide = text => verdict ??= text;
        here.System.ActorOf(Props.Create(() => new BossActor("akka://b/user/worker", patient, decide)), "boss");
        world.RunUntil(() => verdict is not null, TimeSpan.FromMinutes(1));
        return (verdict, world.History.Value);
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
