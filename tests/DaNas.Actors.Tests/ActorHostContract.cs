using DaNas.Actors;

namespace DaNas.Actors.Tests;

/// <summary>A host under test, and what a test may do from outside. Dispose ends every actor.</summary>
public interface ITestHost : IAsyncDisposable
{
    ActorAddress Spawn(string name, Func<IActor> create);

    ActorAddress Listen(string name, Action<object> receive);

    void Tell(ActorAddress receiver, object message);

    void OpenPort(string name, Func<object, CancellationToken, Task<object?>> work);

    void PlayRole(string role, ActorAddress address);

    /// <summary>The next append fails; the store itself stays whole.</summary>
    void FailNextAppend();

    long Overflowed { get; }

    /// <summary>A second host over the same store, as after a restart of the process.</summary>
    ITestHost Restart();
}

/// <summary>What every host promises to actors. One suite, as many implementations as there are hosts.</summary>
public abstract partial class ActorHostContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected abstract ITestHost NewHost(int mailboxCapacity = 1000);

    [Fact]
    public async Task Order_holds_for_one_sender_and_receiver()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress relay = host.Spawn("relay", () => new Scripted((c, m) => c.Tell(sink, m)));
        for (int i = 0; i < 500; i++)
            host.Tell(relay, i);
        (await inbox.WaitFor(500)).ShouldBe(Enumerable.Range(0, 500).Cast<object>());
    }

    [Fact]
    public async Task Persisting_holds_back_what_follows_and_the_reply_goes_out_after_the_store()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress counter = host.Spawn("counter", () => new Counter("c1", sink));
        for (int i = 0; i < 50; i++)
            host.Tell(counter, i);
        (await inbox.WaitFor(50)).ShouldBe(Enumerable.Range(1, 50).Select(n => (object)$"stored {n} at {n}"));
    }

    [Fact]
    public async Task Several_events_of_one_persist_are_stored_all_together()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress counter = host.Spawn("counter", () => new Counter("c2", sink));
        host.Tell(counter, "three");
        (await inbox.WaitFor(1)).ShouldBe(["stored 3 at 3"]);
    }

    [Fact]
    public async Task State_is_recovered_from_the_journal_in_another_process()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress counter = host.Spawn("counter", () => new Counter("c3", host.Listen("sink", inbox.Add)));
        host.Tell(counter, 1);
        host.Tell(counter, 1);
        await inbox.WaitFor(2);
        await host.DisposeAsync();
        await using ITestHost again = host.Restart();
        Inbox second = new();
        ActorAddress recovered = again.Spawn("counter", () => new Counter("c3", again.Listen("sink2", second.Add)));
        again.Tell(recovered, 1);
        (await second.WaitFor(1)).ShouldBe(["stored 3 at 3"]);
    }

    [Fact]
    public async Task A_failed_persist_rebuilds_the_actor_from_the_journal_and_is_not_retried_in_place()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        int incarnations = 0;
        ActorAddress counter = host.Spawn("counter", () =>
        {
            Interlocked.Increment(ref incarnations);
            return new Counter("c4", sink);
        });
        host.Tell(counter, 1);
        await inbox.WaitFor(1);
        host.FailNextAppend();
        host.Tell(counter, 1);
        host.Tell(counter, 1);
        (await inbox.WaitFor(2)).ShouldBe(["stored 1 at 1", "stored 2 at 2"]);
        incarnations.ShouldBe(2);
    }

    [Fact]
    public async Task A_restart_drops_the_failing_message_and_keeps_the_mailbox()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress actor = host.Spawn("fragile", () => new Scripted((c, m) => c.Tell(sink, m is 2 ? throw new InvalidOperationException("on purpose") : m)));
        foreach (int i in new[] { 1, 2, 3, 4 })
            host.Tell(actor, i);
        (await inbox.WaitFor(3)).ShouldBe([1, 3, 4]);
    }

    [Fact]
    public async Task A_childs_name_is_free_again_only_after_it_has_ended()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress parent = host.Spawn("parent", () => new Scripted((c, m) =>
        {
            switch (m)
            {
                case "begin":
                    c.Watch(c.Spawn("child", () => new Scripted((_, _) => { })));
                    string second = "refused";
                    try
                    {
                        c.Spawn("child", () => new Scripted((_, _) => { }));
                        second = "accepted";
                    }
                    catch (Exception)
                    {
                        // As it should be.
                    }

                    c.Tell(sink, second);
                    c.StopChild("child");
                    break;
                case Terminated t:
                    c.Tell(sink, $"{t.Actor.Name} ended, known: {c.HasChild("child")}");
                    c.Spawn("child", () => new Scripted((_, _) => { }));
                    c.Tell(sink, "again");
                    break;
            }
        }));
        host.Tell(parent, "begin");
        (await inbox.WaitFor(3)).ShouldBe(["refused", "child ended, known: False", "again"]);
    }

    [Fact]
    public async Task Watching_an_actor_that_is_not_there_answers_at_once()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress watcher = host.Spawn("watcher", () => new Scripted((c, m) =>
        {
            if (m is Terminated)
                c.Tell(sink, "terminated");
            else
                c.Watch(new ActorAddress($"{c.Self.Path}/nobody"));
        }));
        host.Tell(watcher, "watch");
        (await inbox.WaitFor(1)).ShouldBe(["terminated"]);
    }

    [Fact]
    public async Task A_timer_of_the_same_key_is_replaced_and_a_cancelled_one_never_fires()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress actor = host.Spawn("timed", () => new Scripted((c, m) =>
        {
            if (m is not "begin")
            {
                c.Tell(sink, m);
                return;
            }

            c.StartTimer("a", TimeSpan.FromMilliseconds(20), "first");
            c.StartTimer("a", TimeSpan.FromMilliseconds(40), "second");
            c.StartTimer("b", TimeSpan.FromMilliseconds(20), "never");
            c.CancelTimer("b");
            c.StartTimer("c", TimeSpan.FromMilliseconds(150), "last");
        }));
        host.Tell(actor, "begin");
        (await inbox.WaitFor(2)).ShouldBe(["second", "last"]);
    }

    [Fact]
    public async Task Tell_never_blocks_and_overflow_is_counted()
    {
        await using ITestHost host = NewHost(mailboxCapacity: 10);
        Inbox inbox = new();
        using ManualResetEventSlim gate = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress slow = host.Spawn("slow", () => new Scripted((c, m) =>
        {
            gate.Wait(Patience);
            c.Tell(sink, m);
        }));
        for (int i = 0; i < 100; i++)
            host.Tell(slow, i);
        gate.Set();
        object[] received = await inbox.WaitFor(10);
        received.Take(10).ShouldBe(Enumerable.Range(0, 10).Cast<object>());
        received.Cast<int>().ShouldBeInOrder(); // A later one may have found the place of the first, which left the mailbox meanwhile.
        host.Overflowed.ShouldBeInRange(80, 90);
    }

    [Fact]
    public async Task Timers_take_no_place_in_a_mailbox()
    {
        await using ITestHost host = NewHost(mailboxCapacity: 10);
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress ticking = host.Spawn("ticking", () => new Scripted((c, m) =>
        {
            if (m is int n && n < 50)
                c.StartTimer("tick", TimeSpan.FromMilliseconds(1), n + 1);
            else
                c.Tell(sink, m);
        }));
        host.Tell(ticking, 0);
        await inbox.WaitFor(1);
        host.Tell(ticking, "hello");
        (await inbox.WaitFor(2)).ShouldBe([50, "hello"]);
        host.Overflowed.ShouldBe(0);
    }

    [Fact]
    public async Task Work_behind_a_port_comes_back_as_a_message_and_its_failure_as_a_value()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        host.OpenPort("double", (request, _) => request is int n ? Task.FromResult<object?>(n * 2) : throw new InvalidOperationException("no number"));
        ActorAddress actor = host.Spawn("asker", () => new Scripted((c, m) =>
        {
            if (m is PortReply r)
                c.Tell(sink, r.Failure ?? r.Reply!);
            else
                c.Run("double", m);
        }));
        host.Tell(actor, 21);
        (await inbox.WaitFor(1)).ShouldBe([42]);
        host.Tell(actor, "x");
        (await inbox.WaitFor(2))[1].ShouldBe("no number");
    }

    [Fact]
    public async Task A_role_resolves_to_the_actor_that_plays_it_and_the_sender_is_known()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        host.PlayRole("echo", host.Spawn("echo", () => new Scripted((c, m) => c.Tell(c.Sender!, $"echo {m}"))));
        ActorAddress asker = host.Spawn("asker", () => new Scripted((c, m) => c.Tell(m is "ask" ? c.Resolve("echo") : sink, m)));
        host.Tell(asker, "ask");
        (await inbox.WaitFor(1)).ShouldBe(["echo ask"]);
    }
}
