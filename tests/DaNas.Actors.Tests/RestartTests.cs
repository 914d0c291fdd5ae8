using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Actors.Stages;
using DaNas.Actors.Trainers;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Drills;
using DaNas.Simulation;

namespace DaNas.Actors.Tests;

/// <summary>What an actor must know again after it threw, and who decides how often it comes back.</summary>
public sealed class RestartTests : DispatcherBench
{
    private const string Stage = "search-1/search/stage-0";

    private readonly List<object> heard = [];
    private readonly List<(IActorRef To, UnitResult Result)> withheld = [];
    private SearchState? ended;
    private bool withholds = true;

    [Fact]
    public void A_trainer_that_is_restarted_tells_whoever_leads_now()
    {
        int leads = 0;
        IActorRef[] leaders = [Stub("leader-0", (_, _) => { }), Stub("leader-1", (_, m) => heard.Add(m))];
        IActorRef trainer =
            node.System.ActorOf(TrainerActor.PropsOf(0, new NoRunner(), () => leaders[leads], new TrainerMemory()), "restarted");
        Pass(0.3);
        leads = 1;
        trainer.Tell(new TrainerActor.DispatcherChanged());
        Pass(0.1);
        heard.Clear();
        trainer.Tell(new DispatchProtocol.RunAttempt(null!, Unit, 1, 1)); // Throws.
        Pass(0.05);
        heard.OfType<DispatchProtocol.TrainerReady>().ShouldHaveSingleItem(); // No heartbeat was due: it began anew.
        Pass(1);
        heard.OfType<DispatchProtocol.TrainerReady>().Count().ShouldBeGreaterThan(3);
    }

    /// <summary>A dispatcher that heard first that it is idle would give it again what it has done.</summary>
    [Fact]
    public void A_trainer_tells_a_new_leader_what_it_has_done_before_it_says_that_it_is_idle()
    {
        IActorRef leader = Stub("leader", (_, m) => heard.Add(m));
        UnitOutcome done = new UnitOutcome.Completed(new UnitResult.ArchitectureEvaluated(Unit.Id, UnitCost.Zero, new Timing(2), 0.5, 1));
        IActorRef trainer = node.System.ActorOf(TrainerActor.PropsOf(0, new NoRunner(done), () => leader, new TrainerMemory()), "trainer");
        trainer.Tell(new DispatchProtocol.RunAttempt("x", Unit, 1, 1) { Lease = 4 });
        Pass(0.1);
        trainer.Tell(new DispatchProtocol.AttemptNoted("x", Unit.Id, 1) { Lease = 4 });
        Pass(0.1);
        heard.Clear();
        trainer.Tell(new TrainerActor.DispatcherChanged());
        Pass(0.01);
        heard.Select(m => m.GetType()).ShouldBe([typeof(DispatchProtocol.AttemptEnded), typeof(DispatchProtocol.TrainerReady)]);
        heard.OfType<DispatchProtocol.AttemptEnded>().ShouldHaveSingleItem().Lease.ShouldBe(4);
    }

    /// <summary>
    /// A failure is not among the results that it remembers: without the list of what was not noted it would be told never.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_trainer_that_is_restarted_or_gets_a_new_leader_tells_a_failure_that_nobody_has_noted(bool newLeader)
    {
        IActorRef leader = Stub("leader", (_, m) => heard.Add(m));
        UnitOutcome failed = new UnitOutcome.Failed(FailureKind.EngineError, "x", 1);
        IActorRef trainer =
            node.System.ActorOf(TrainerActor.PropsOf(0, new NoRunner(failed), () => leader, new TrainerMemory()), "trainer");
        trainer.Tell(new DispatchProtocol.RunAttempt("x", Unit, 1, 1) { Lease = 4 });
        Pass(0.1);
        heard.Clear();
        // The latter throws.
        trainer.Tell(newLeader ? new TrainerActor.DispatcherChanged() : new DispatchProtocol.RunAttempt(null!, Unit, 1, 1));
        Pass(0.05);
        heard.OfType<DispatchProtocol.AttemptEnded>().ShouldHaveSingleItem().Lease.ShouldBe(4);
    }

    [Fact]
    public void What_a_former_leader_notes_the_present_one_has_not_heard()
    {
        SimulationKit.SimulatedNode other = world.AddNode("m", SimulatedCluster.Configuration);
        other.Start();
        IActorRef former = other.System.ActorOf(Props.Create(() => new NotingActor()), "former");
        IActorRef leader = Stub("leader", (_, m) => heard.Add(m));
        IActorRef trainer = node.System.ActorOf(TrainerActor.PropsOf(
            0, new NoRunner(new UnitOutcome.Failed(FailureKind.EngineError, "x", 1)), () => leader, new TrainerMemory()), "trainer");
        trainer.Tell(new DispatchProtocol.RunAttempt("x", Unit, 1, 1) { Lease = 4 });
        Pass(0.1);
        former.Tell("akka://n/user/trainer");
        Pass(1);
        heard.Clear();
        Pass(1);
        heard.OfType<DispatchProtocol.AttemptEnded>().Count().ShouldBeGreaterThan(2);
        trainer.Tell(new DispatchProtocol.AttemptNoted("x", Unit.Id, 1) { Lease = 4 }, leader);
        Pass(0.1);
        heard.Clear();
        Pass(1);
        heard.OfType<DispatchProtocol.AttemptEnded>().ShouldBeEmpty();
    }

    private sealed class NotingActor : ReceiveActor
    {
        public NotingActor() => Receive<string>(to => ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(to)
            .Tell(new DispatchProtocol.AttemptNoted("x", Unit.Id, 1) { Lease = 4 }, Self));
    }

    [Fact]
    public void A_node_that_is_restarted_announces_itself_to_whoever_leads_now()
    {
        int leads = 0;
        IActorRef[] leaders = [Stub("leader-0", (_, _) => { }), Stub("leader-1", (_, m) => heard.Add(m))];
        IActorRef announcer = node.System.ActorOf(NodeActor.PropsOf(
            new NodeInfo("t0", "http://t0", 1, "test"), Nothing, Nothing, () => leaders[leads]), NodeActor.Name);
        Pass(0.3);
        leads = 1;
        announcer.Tell(new NodeActor.LeaderChanged());
        Pass(0.1);
        heard.Clear();
        announcer.Tell(new ClusterPorts.Replied(null!, null, null)); // Throws.
        Pass(0.1);
        heard.OfType<ClusterProtocol.NodeHere>().ShouldHaveSingleItem(); // No heartbeat was due: it began anew.
        Pass(2.5);
        heard.OfType<ClusterProtocol.NodeHere>().Count().ShouldBeGreaterThan(2);
    }

    /// <summary>
    /// In a cluster a dispatcher gives work only to hosts of whose duty it knows, and one that was restarted knows of none.
    /// </summary>
    [Fact]
    public void A_dispatcher_that_is_restarted_is_told_the_duties_again()
    {
        Dictionary<string, NodeDuty> told = [];
        IActorRef duties = node.System.ActorOf(Props.Create(() => new ForgetfulActor(told)), "duties");
        LeaderPorts ports = new(r => Task.FromResult<object?>(r is ClusterPorts.FindUnfinished ? new List<string>()
            : new List<NodeOrder> { new("t0", NodeDuty.Draining) }), Nothing, duties, new SimulatedTables("none", 1).Journal(), _ => { });
        IActorRef reception = node.System.ActorOf(ClusterActor.PropsOf("test", ports), ClusterActor.Name);
        IActorRef here = Stub("t0", (c, m) =>
        {
            if (m is "here")
                reception.Tell(new ClusterProtocol.NodeHere(new NodeInfo("t0", "http://t0", 1, "test")), c.Self);
        });
        Announce(2);
        told.Values.ShouldBe([NodeDuty.Draining]);
        duties.Tell("throw");
        Pass(0.1);
        told.ShouldBeEmpty();
        Announce(6);
        told.Values.ShouldBe([NodeDuty.Draining]);

        void Announce(int seconds)
        {
            for (int i = 0; i < seconds; i++)
            {
                here.Tell("here");
                Pass(1);
            }
        }
    }

    [Fact]
    public void A_stage_that_throws_is_a_failure_of_its_search_which_is_rebuilt_tells_where_it_is_and_ends_as_ever()
    {
        CleanRun clean = Host();
        long events = heard.OfType<SearchProtocol.Stored>().Last().Sequence;
        Tell(Stage, new StageProtocol.StateChanged(null!));
        Pass(1);
        logged.Count(e => e == LogEvent.ActorRestarted).ShouldBe(1);
        SearchProtocol.Found found = heard.OfType<SearchProtocol.Found>().ShouldHaveSingleItem();
        found.Sequence.ShouldBe(events);
        found.State.Phase.ShouldBeOfType<SearchPhase.Training>();
        withholds = false;
        foreach ((IActorRef to, UnitResult result) in withheld)
            to.Tell(new DispatchProtocol.UnitDone(result)); // To the stage that is gone: they are asked for again.
        Pass(60);
        ended.ShouldNotBeNull().DecisionHash.ShouldBe(clean.State.DecisionHash);
    }

    [Fact]
    public void A_stage_that_always_throws_ends_its_search()
    {
        Host();
        for (int i = 0; i < SaidStrategy.Most + 1; i++)
        {
            heard.ShouldNotContain(m => m is Terminated);
            Tell(Stage, new StageProtocol.StateChanged(null!));
            Pass(10); // Longer than the longest back-off.
        }

        heard.ShouldContain(m => m is Terminated);
        logged.Count(e => e == LogEvent.ActorRestarted).ShouldBe(SaidStrategy.Most);
        logged.Count(e => e == LogEvent.ActorFailed).ShouldBe(1);
    }

    private static Task<object?> Nothing(object request) => Task.FromResult<object?>(null);

    /// <summary>A search whose units are answered at once, but for those of the first stage, which are withheld.</summary>
    private CleanRun Host()
    {
        (SimulatedSearch search, CleanRun clean) = SimulationSuite.Make(0, 0);
        IActorRef units = Stub("units", (c, m) =>
        {
            DispatchProtocol.Submit asked = (DispatchProtocol.Submit)m;
            UnitResult result = ((UnitOutcome.Completed)search.Answer(asked.Unit)).Result;
            if (withholds && asked.Unit.Id.StartsWith("s0/", StringComparison.Ordinal))
                withheld.Add((c.Sender, result));
            else
                c.Sender.Tell(new DispatchProtocol.UnitDone(result));
        });
        IActorRef listener = Stub("listener", (c, m) =>
        {
            if (m is IActorRef watched)
                c.Watch(watched);
            heard.Add(m);
            ended ??= m is SearchProtocol.Stored { State.IsOver: true } s ? s.State : null;
        });
        SearchProtocol.Beginning beginning = new(new SearchCommand.Start(search.First), new SearchCommand.Resume(1, "simulated", 0));
        SearchPorts ports = new(listener, units, _ => { });
        listener.Tell(node.System.ActorOf(SearchActor.PropsOf(
            SimulatedSearch.Id, beginning, ports, new SimulatedTables($"search-{SimulatedSearch.Id}", 1).Journal()), "search-1"));
        Pass(5);
        withheld.ShouldNotBeEmpty();
        return clean;
    }

    private sealed class NoRunner(UnitOutcome? outcome = null) : IAttemptRunner
    {
        public double SilentSeconds => 0;

        public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt) =>
            outcome is null ? throw new InvalidOperationException("nothing runs here") : Task.FromResult(outcome);
    }

    /// <summary>Notes duties as a dispatcher does, and forgets them as one does that is restarted.</summary>
    private sealed class ForgetfulActor : ReceiveActor
    {
        public ForgetfulActor(Dictionary<string, NodeDuty> told)
        {
            told.Clear();
            Receive<DispatchProtocol.SetHostDuty>(m => told[m.Host] = m.Duty);
            Receive<string>(_ => throw new InvalidOperationException("on purpose"));
            ReceiveAny(_ => { });
        }
    }
}
