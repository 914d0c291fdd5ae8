namespace DaNas.Actors.Tests;

/// <summary>What a restart may and may not let through.</summary>
public abstract partial class ActorHostContract
{
    [Fact]
    public async Task The_end_of_an_old_child_is_not_taken_for_that_of_a_new_one_of_its_name()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        ActorAddress parent = host.Spawn("parent", () => new Scripted((c, m) =>
        {
            switch (m)
            {
                case "spawn":
                    c.Watch(c.Spawn("child", () => new Scripted((_, _) => { })));
                    break;
                case "fail":
                    throw new InvalidOperationException("on purpose");
                case Terminated:
                    c.Tell(sink, "terminated");
                    break;
                case "end":
                    c.Tell(sink, "end");
                    break;
            }
        }));
        for (int i = 0; i < 3; i++)
        {
            host.Tell(parent, "spawn");
            host.Tell(parent, "fail");
        }

        host.Tell(parent, "end");
        (await inbox.WaitFor(1)).ShouldBe(["end"]);
    }

    [Fact]
    public async Task An_actor_whose_maker_fails_is_tried_again()
    {
        await using ITestHost host = NewHost();
        Inbox inbox = new();
        ActorAddress sink = host.Listen("sink", inbox.Add);
        int attempts = 0;
        ActorAddress actor = host.Spawn("late", () => Interlocked.Increment(ref attempts) < 3 ? throw new InvalidOperationException("on purpose") : new Scripted((c, m) => c.Tell(sink, m)));
        host.Tell(actor, "hello");
        (await inbox.WaitFor(1)).ShouldBe(["hello"]);
        attempts.ShouldBe(3);
    }
}
