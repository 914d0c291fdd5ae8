using Akka.Actor;
using Akka.Configuration;

namespace DaNas.SimulationKit.Tests;

/// <summary>
/// The kit's sample: three small actors, each right and with a defect that only Akka's own behaviour brings about (a stash that overflows, a timer that fires after a restart, a <see cref="Terminated"/> that overtakes a reply). The
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
        Should.Throw<InvalidOperationException>(() => world.RunUntil(() => false, TimeSpan.FromMinutes(1))).Message.ShouldContain("another thread");
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
