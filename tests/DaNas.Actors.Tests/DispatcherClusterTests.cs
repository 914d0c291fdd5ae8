using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Domain.Faults;
using DaNas.Ports;

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
        dispatcher = node.System.ActorOf(DispatcherActor.PropsOf(new DispatcherSettings(3, 10) { AwaitsDuties = true }), "cluster-dispatcher");
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
