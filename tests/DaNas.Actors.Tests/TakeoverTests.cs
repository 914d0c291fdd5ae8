using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Journals;
using DaNas.Domain.Ports;
using DaNas.Domain.Values;
using DaNas.Simulation;

namespace DaNas.Actors.Tests;

/// <summary>What a leader answers, and whom it gives work, while it is new.</summary>
public sealed class TakeoverTests : DispatcherBench
{
    private readonly List<object> heard = [];

    /// <summary>
    /// A trainer that asks too early would else be told that its search runs nowhere, and its attempt would count as failed.
    /// </summary>
    [Fact]
    public void A_leader_that_has_not_read_the_journal_yet_does_not_deny_a_search()
    {
        TaskCompletionSource<object?> found = new();
        Receive(request => request is ClusterPorts.FindUnfinished ? found.Task : Task.FromResult<object?>(null));
        Pass(0.1);
        Tell("asker", new ClusterProtocol.OpenSearch("1", "x"));
        Tell("asker", new ClusterProtocol.ListSearches("2"));
        Pass(0.1);
        heard.ShouldBeEmpty();
        world.After(TimeSpan.Zero, () => found.SetResult(new List<string>()));
        Pass(0.1);
        Tell("asker", new ClusterProtocol.OpenSearch("3", "x"));
        Tell("asker", new ClusterProtocol.ListSearches("4"));
        Pass(0.1);
        heard.OfType<ClusterProtocol.Opened>().ShouldHaveSingleItem().Failure.ShouldBe("search 'x' is not running here");
        heard.OfType<ClusterProtocol.SearchList>().ShouldHaveSingleItem().Ask.ShouldBe("4");
    }

    /// <summary>Whoever was fenced would else take the search back from its successor.</summary>
    [Fact]
    public void A_leader_whose_process_must_end_takes_nothing_over_any_more()
    {
        int looked = 0, taken = 0;
        Receive(request =>
        {
            looked += request is ClusterPorts.FindUnfinished ? 1 : 0;
            taken += request is ClusterPorts.Take ? 1 : 0;
            return Task.FromResult<object?>(request is ClusterPorts.FindUnfinished ? looked == 1
                ? new List<string>() : new List<string> { "x" } : new List<NodeOrder>());
        });
        Pass(1);
        node.System.EventStream.Publish(new HostMustEnd("fenced"));
        Pass(70);
        looked.ShouldBeGreaterThan(1);
        taken.ShouldBe(0);
        Tell("asker", new ClusterProtocol.ResumeSearch("1", "x"));
        Pass(0.1);
        heard.OfType<ClusterProtocol.Answer>().ShouldHaveSingleItem().Failure.ShouldBe("this coordinator is shutting down; try again");
    }

    /// <summary>Both sides dialing in the same moment can cost one direction of the line: the leader only answers.</summary>
    [Fact]
    public void A_leader_answers_each_sign_of_life_and_says_nothing_in_between()
    {
        Receive(request => Task.FromResult<object?>(request is ClusterPorts.FindUnfinished ? new List<string>() : new List<NodeOrder>()));
        ClusterProtocol.NodeHere here = new(new NodeInfo("t0", "http://t0", 1, "test"));
        Tell("asker", here);
        Pass(1.2);
        // Before its first unit.
        heard.Select(m => m.GetType()).ShouldBe([typeof(ClusterProtocol.NodeNoted), typeof(ClusterProtocol.Roster)]);
        Tell("asker", here);
        Pass(0.1);
        heard.OfType<ClusterProtocol.NodeNoted>().Count().ShouldBe(2);
        heard.OfType<ClusterProtocol.Roster>().ShouldHaveSingleItem().Nodes.ShouldHaveSingleItem().Name.ShouldBe("t0");
        int before = heard.Count;
        Pass(3); // It is silent now, and would be a second later taken for lost.
        heard.Count.ShouldBe(before);
    }

    /// <summary>What a new leader hears first of a trainer are the results that a former one had noted.</summary>
    [Fact]
    public void A_trainer_whose_results_are_heard_before_it_announces_itself_is_known_by_them()
    {
        BlobRef made = new(Digest.Of([1]), 1);
        End("trainer-1", new DispatchProtocol.RunAttempt("x", Unit with { Id = "merge/0" }, 1, 1) { Lease = 3 },
            new UnitOutcome.Completed(new Domain.Work.UnitResult.RoundMerged("merge/0", Domain.Work.UnitCost.Zero, new Timing(1), made)));
        Submit();
        toTrainers["trainer-1"].ShouldBeEmpty(); // It has not said that it is idle.
        Ready("trainer-0", null, 0);
        End("trainer-0", toTrainers["trainer-0"].ShouldHaveSingleItem(), 0.5);
        Ready("trainer-0", null, 0);
        Ready("trainer-1", null, 0);
        Tell("search", new DispatchProtocol.Submit("x", "akka://n/user/search", Unit with { Id = "derive/1" }, 1));
        Pass(0.1);
        toTrainers["trainer-1"].Count.ShouldBe(1); // It has made a blob; the other one is new.
    }

    /// <summary>A process has to be started for the first unit, and its inputs fetched: that takes seconds.</summary>
    [Fact]
    public void A_trainer_that_has_worked_already_gets_a_unit_before_one_that_has_not()
    {
        Ready("trainer-0", null, 0);
        Ready("trainer-1", null, 0);
        BlobRef made = new(Digest.Of([1]), 1);
        Tell("trainer-1", new DispatchProtocol.AttemptEnded(1, "x", "merge/0", 1,
            new UnitOutcome.Completed(new Domain.Work.UnitResult.RoundMerged("merge/0", Domain.Work.UnitCost.Zero, new Timing(1), made))));
        Pass(0.1);
        Submit();
        toTrainers["trainer-0"].ShouldBeEmpty();
        toTrainers["trainer-1"].Count.ShouldBe(1);
    }

    /// <summary>
    /// A leader's reception over a journal that answers so, and somebody who tells it what he is told and hears the answers.
    /// </summary>
    private void Receive(ClusterPorts.Port journal)
    {
        LeaderPorts ports = new(journal, _ => Task.FromResult<object?>(null), dispatcher,
            new SimulatedTables("none", 1).Journal(), _ => { });
        IActorRef reception = node.System.ActorOf(ClusterActor.PropsOf("test", ports), ClusterActor.Name);
        Stub("asker", (c, m) =>
        {
            if (c.Sender.Equals(c.System.DeadLetters))
                reception.Tell(m, c.Self);
            else
                heard.Add(m);
        });
    }
}
