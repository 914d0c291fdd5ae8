using System.Collections.Concurrent;
using DaNas.Actors.Logging;
using DaNas.Actors.Simulated;

namespace DaNas.Actors.Tests;

/// <summary>The simulated host under the contract of all hosts: its world is run by one thread, and its store outlives a process.</summary>
public sealed class SimulatedHostTests : ActorHostContract
{
    protected override ITestHost NewHost(int mailboxCapacity = 1000) => new Host(new SimulatedWorld(7, new NoLog()) { MailboxCapacity = mailboxCapacity }, "n0");

    [Fact]
    public void What_lies_far_ahead_does_not_come_sooner()
    {
        SimulatedWorld world = new(7, new NoLog());
        List<int> order = [];
        world.After(TimeSpan.FromDays(365_000), () => order.Add(2));
        world.After(TimeSpan.FromDays(20), () => order.Add(1));
        while (world.Step())
        {
        }

        order.ShouldBe([1, 2]);
        world.Elapsed.ShouldBe(TimeSpan.FromDays(365_000));
    }

    private sealed class Host : ITestHost
    {
        private readonly SimulatedWorld world;
        private readonly SimulatedNode node;
        private readonly ConcurrentQueue<Action> asked = new();
        private readonly AutoResetEvent work = new(false);
        private readonly Thread thread;
        private volatile bool ended;

        public Host(SimulatedWorld world, string name)
        {
            this.world = world;
            node = world.AddNode(name);
            foreach (string id in new[] { "c1", "c2", "c3", "c4" })
                node.Acquire(id);
            thread = new Thread(Live) { IsBackground = true };
            thread.Start();
        }

        public long Overflowed => world.Overflowed;

        public ActorAddress Spawn(string name, Func<IActor> create)
        {
            Ask(() => node.Spawn(name, create));
            return new ActorAddress($"//{node.Name}/{name}");
        }

        public ActorAddress Listen(string name, Action<object> receive)
        {
            Ask(() => node.Listen(name, receive));
            return new ActorAddress($"//{node.Name}/{name}");
        }

        public void Tell(ActorAddress receiver, object message) => Ask(() => node.Tell(receiver, message));

        public void OpenPort(string name, Func<object, CancellationToken, Task<object?>> run) => Ask(() => node.OpenPort(name, (request, reply) =>
        {
            try
            {
                reply(run(request, CancellationToken.None).GetAwaiter().GetResult(), null);
            }
            catch (InvalidOperationException e)
            {
                reply(null, e.Message);
            }
        }));

        public void PlayRole(string role, ActorAddress address) => Ask(() => world.PlayRole(role, address));

        public void FailNextAppend() => Ask(() => world.Store.FailNext = true);

        public ITestHost Restart() => new Host(world, $"n{world.Nodes.Count}");

        public ValueTask DisposeAsync()
        {
            if (!ended)
            {
                Ask(node.Crash);
                ended = true;
                work.Set();
                thread.Join();
                work.Dispose();
            }

            return ValueTask.CompletedTask;
        }

        private void Ask(Action action)
        {
            asked.Enqueue(action);
            work.Set();
        }

        private void Live()
        {
            while (true)
            {
                while (asked.TryDequeue(out Action? action))
                    action();
                if (world.Step())
                    continue;
                if (ended)
                    return;
                work.WaitOne();
            }
        }
    }

    private sealed class NoLog : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
