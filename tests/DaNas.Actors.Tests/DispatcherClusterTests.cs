using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;

namespace DaNas.Actors.Tests;

/// <summary>What a cluster asks of the dispatcher: duties of hosts, bounds of searches, trainers that do not fit.</summary>
public sealed class DispatcherClusterTests : DispatcherBench
{
    [Fact]
    public void A_node_that_is_drained_gets_nothing_more_and_a_quarantined_one_loses_what_it_has()
    {
        dispatcher.Tell(new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Draining));
        Pass(0.1);
        Ready("trainer-0", null, 0);
        Submit();
        toTrainers["trainer-0"].ShouldBeEmpty();
        dispatcher.Tell(new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Active));
        Pass(0.1);
        Ready("trainer-0", null, 0);
        toTrainers["trainer-0"].Count.ShouldBe(1);
        dispatcher.Tell(new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Quarantined));
        Pass(0.1);
        Ready("trainer-0", "x/derive/0", 0);
        Pass(5);
        toTrainers["trainer-0"].Count.ShouldBe(1);
        toSearch.OfType<DispatchProtocol.UnitFailed>().Count().ShouldBe(1);
    }

    [Fact]
    public void A_searchs_own_bounds_count_and_no_others()
    {
        Tell("dispatcher", new DispatchProtocol.SetBounds("x", 1, 4));
        Leased();
        for (int i = 1; i <= 6; i++)
        {
            Ready("trainer-0", "x/derive/0", i);
            Ready("trainer-1", toTrainers["trainer-1"].Count > 0 ? "x/derive/0" : null, 0);
            Pass(1);
        }

        DispatchProtocol.RunAttempt again = toTrainers["trainer-1"].ShouldHaveSingleItem(); // After 4 s, not 10.
        End("trainer-1", again, new UnitOutcome.Failed(FailureKind.EngineError, "x", 1));
        Pass(0.1);
        toSearch.OfType<DispatchProtocol.UnitFailed>().Last().Exhausted.ShouldBeTrue(); // One failure, not three.
    }

    [Fact]
    public void A_unit_that_finds_too_little_memory_goes_to_another_trainer_where_there_is_one()
    {
        DispatchProtocol.RunAttempt first = Leased();
        Ready("trainer-1", "other/work", 0);
        End("trainer-0", first, new UnitOutcome.Failed(FailureKind.OutOfMemory, "x", 1));
        Ready("trainer-0", null, 0);
        Pass(1);
        toTrainers["trainer-0"].Count.ShouldBe(1);
        Ready("trainer-1", null, 0);
        DispatchProtocol.RunAttempt second = toTrainers["trainer-1"].ShouldHaveSingleItem();
        End("trainer-1", second, new UnitOutcome.Failed(FailureKind.OutOfMemory, "x", 1));
        Ready("trainer-1", null, 0);
        toTrainers["trainer-1"].Count.ShouldBe(2); // Nobody is left who has not tried: where it was tried last, it is tried again.
    }

    [Fact]
    public void A_trainer_that_does_not_fit_costs_the_unit_nothing()
    {
        DispatchProtocol.RunAttempt run = Leased();
        End("trainer-0", run, new UnitOutcome.Failed(FailureKind.Unfit, "other CPU", 1));
        Ready("trainer-0", null, 0);
        Pass(2);
        toTrainers["trainer-0"].Count.ShouldBe(1);
        toSearch.OfType<DispatchProtocol.UnitFailed>().ShouldBeEmpty(); // Nothing for the journal.
        Ready("trainer-1", null, 0);
        toTrainers["trainer-1"].ShouldHaveSingleItem(); // At once, without a wait.
    }

    [Fact]
    public void In_a_cluster_a_host_gets_work_only_when_its_duty_is_known_and_a_quarantined_ones_results_do_not_count()
    {
        dispatcher =
            node.System.ActorOf(DispatcherActor.PropsOf(new DispatcherSettings(3, 10) { AwaitsDuties = true }), "cluster-dispatcher");
        Ready("trainer-0", null, 0);
        Submit();
        Ready("trainer-0", null, 0);
        toTrainers["trainer-0"].ShouldBeEmpty();
        Tell("cluster-dispatcher", new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Active));
        Ready("trainer-0", null, 0);
        DispatchProtocol.RunAttempt run = toTrainers["trainer-0"].ShouldHaveSingleItem();
        Tell("cluster-dispatcher", new DispatchProtocol.SetHostDuty("n", Actors.Cluster.NodeDuty.Quarantined));
        Pass(0.1);
        End("trainer-0", run, 0.5);
        toSearch.OfType<DispatchProtocol.UnitDone>().ShouldBeEmpty();
    }

    /// <summary>
    /// A new leader's dispatcher, or one that was restarted: work goes on and results count, but for those of a node that somebody
    /// quarantined.
    /// </summary>
    [Theory]
    [InlineData(Actors.Cluster.NodeDuty.Active, true, 1, 0)]
    [InlineData(Actors.Cluster.NodeDuty.Active, false, 1, 0)]
    [InlineData(Actors.Cluster.NodeDuty.Draining, true, 1, 0)]
    [InlineData(Actors.Cluster.NodeDuty.Draining, false, 1, 0)]
    [InlineData(Actors.Cluster.NodeDuty.Quarantined, true, 0, 1)]
    [InlineData(Actors.Cluster.NodeDuty.Quarantined, false, 0, 1)]
    public void What_a_trainer_did_for_a_former_dispatcher_waits_until_its_hosts_duty_is_known(
        Actors.Cluster.NodeDuty duty, bool hasEnded, int done, int givenElsewhere)
    {
        dispatcher =
            node.System.ActorOf(DispatcherActor.PropsOf(new DispatcherSettings(3, 10) { AwaitsDuties = true }), "cluster-dispatcher");
        List<DispatchProtocol.RunAttempt> elsewhere = [];
        IActorRef other = Other(elsewhere);
        Tell("cluster-dispatcher", new DispatchProtocol.SetHostDuty("m", Actors.Cluster.NodeDuty.Active));
        other.Tell(new DispatchProtocol.TrainerReady(0, null, 0));
        DispatchProtocol.RunAttempt run = new("x", Unit, 2, 1) { Lease = 7 };
        Say();
        Submit();
        for (int i = 0; i < 3; i++)
        {
            other.Tell(new DispatchProtocol.TrainerReady(0, null, 0));
            Say();
            Pass(1);
        }

        toSearch.OfType<DispatchProtocol.UnitDone>().ShouldBeEmpty();
        elsewhere.ShouldBeEmpty();
        Tell("cluster-dispatcher", new DispatchProtocol.SetHostDuty("n", duty));
        Pass(0.1);
        Say();
        End("trainer-0", run, 0.5);
        other.Tell(new DispatchProtocol.TrainerReady(0, null, 0));
        Pass(1);
        toSearch.OfType<DispatchProtocol.UnitDone>().Count().ShouldBe(done);
        elsewhere.Count.ShouldBe(givenElsewhere);

        void Say()
        {
            if (hasEnded)
                End("trainer-0", run, 0.5);
            Ready("trainer-0", hasEnded ? null : "x/derive/0", 0, hasEnded ? 0 : run.Lease);
        }
    }

    [Fact]
    public void A_unit_does_not_wait_for_ever_for_a_host_whose_duty_nobody_tells()
    {
        dispatcher =
            node.System.ActorOf(DispatcherActor.PropsOf(new DispatcherSettings(3, 10) { AwaitsDuties = true }), "cluster-dispatcher");
        List<DispatchProtocol.RunAttempt> elsewhere = [];
        IActorRef other = Other(elsewhere);
        Tell("cluster-dispatcher", new DispatchProtocol.SetHostDuty("m", Actors.Cluster.NodeDuty.Active));
        Submit();
        for (int i = 0; i < 15; i++)
        {
            Ready("trainer-0", "x/derive/0", 0, 7);
            other.Tell(new DispatchProtocol.TrainerReady(0, null, 0));
            Pass(1);
        }

        elsewhere.Count.ShouldBe(1);
    }

    /// <summary>A trainer on another node, which sends on what it is told to.</summary>
    private IActorRef Other(List<DispatchProtocol.RunAttempt> given)
    {
        SimulationKit.SimulatedNode m = world.AddNode("m", Simulation.SimulatedCluster.Configuration);
        m.Start();
        IActorRef leading = ((ExtendedActorSystem)m.System).Provider.ResolveActorRef("akka://n/user/cluster-dispatcher");
        return m.System.ActorOf(Props.Create(() => new OtherTrainer(leading, given)), "trainer-0");
    }

    private sealed class OtherTrainer : ReceiveActor
    {
        public OtherTrainer(IActorRef leading, List<DispatchProtocol.RunAttempt> given)
        {
            Receive<DispatchProtocol.RunAttempt>(given.Add);
            Receive<DispatchProtocol.TrainerReady>(m => leading.Tell(m, Self));
        }
    }

    [Fact]
    public void Busy_trainers_are_counted_by_host()
    {
        List<object> heard = [];
        Stub("asker", (c, m) =>
        {
            if (m is DispatchProtocol.CountBusy)
                dispatcher.Tell(m, c.Self);
            else
                heard.Add(m);
        });
        Leased();
        Tell("asker", new DispatchProtocol.CountBusy());
        Pass(0.1);
        heard.OfType<DispatchProtocol.Busy>().ShouldHaveSingleItem().ByHost.ShouldBe([new Actors.Cluster.HostLoad("n", 1)]);
    }
}
