using System.Collections.Concurrent;
using System.Threading.Channels;
using DaNas.Actors.Akka;
using DaNas.Actors.Cluster;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Tests;

/// <summary>Nodes of an Akka cluster within one process, over a net whose lines can be cut, and a store that has one word to give.</summary>
public sealed partial class AkkaClusterTests
{
    private readonly Net net = new();
    private readonly Store store = new();
    private readonly List<Node> nodes = [];

    public async ValueTask DisposeAsync()
    {
        net.Mend();
        await Task.WhenAll(nodes.Select(n => n.Host.DisposeAsync().AsTask()));
    }

    private static string Hocon(string role)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "hocon", "akka");
        return string.Join('\n', new[] { "reference", "environments/postgresql", $"roles/{role}" }.Select(f => File.ReadAllText(Path.Combine(folder, $"{f}.conf"))));
    }

    private static async Task<bool> UntilAsync(Func<bool> condition, double seconds)
    {
        for (int i = 0; i < seconds * 20; i++)
        {
            if (condition())
                return true;
            await Task.Delay(50);
        }

        return condition();
    }

    private Node Start(string name, string role, params string[] seeds)
    {
        Node node = new(name, role, net, store);
        nodes.Add(node);
        node.Host.Join(seeds.Length > 0 ? seeds.Select(s => $"{s}:1") : [$"{name}:1"]);
        return node;
    }

    private sealed class Node : ILeadership, IStateLog
    {
        private readonly Store store;

        public Node(string name, string role, Net net, Store store)
        {
            this.store = store;
            Name = name;
            Host = new AkkaHost(Hocon(role), null, this, new AkkaNode(name, 1, [role], (host, _, cancel) => net.ConnectAsync(name, host, cancel)) { Leadership = role == AkkaNode.Coordinator ? this : null });
            net.Hosts[name] = Host;
        }

        public string Name { get; }

        public AkkaHost Host { get; }

        public bool Begun { get; private set; }

        public ConcurrentQueue<string> Lost { get; } = [];

        public bool IsWriter => store.Holder == Name;

        public long ConfirmedAt => IsWriter ? System.Diagnostics.Stopwatch.GetTimestamp() : 0;

        public void Contend() => _ = store.WinAsync(Name);

        public Task<long> WinAsync() => store.WinAsync(Name);

        public void Withdraw() => store.Withdraw(Name);

        public Task BeginAsync()
        {
            Begun = true;
            return Task.CompletedTask;
        }

        public Task EndAsync()
        {
            Begun = false;
            store.Take(Name);
            return Task.CompletedTask;
        }

        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
            if (change is { Event: LogEvent.MemberChanged, To: "Lost" })
                Lost.Enqueue(change.Cause!);
        }
    }

    /// <summary>The word goes to one at a time, in the order of asking; an epoch each time.</summary>
    private sealed class Store
    {
        private readonly Lock gate = new();
        private readonly List<(string Name, TaskCompletionSource<long> Won)> waiting = [];
        private long epoch;

        public string? Holder { get; private set; }

        /// <summary>While set, nobody gets it.</summary>
        public bool Withheld { get; set; }

        public Task<long> WinAsync(string name)
        {
            lock (gate)
            {
                if (Holder == name)
                    return Task.FromResult(epoch);
                TaskCompletionSource<long> won = new(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting.Add((name, won));
                Give();
                return won.Task;
            }
        }

        public void Withdraw(string name)
        {
            lock (gate)
                waiting.RemoveAll(w => w.Name == name);
        }

        /// <summary>The holder has it no more, whether it knows or not.</summary>
        public void Take(string name)
        {
            lock (gate)
            {
                if (Holder == name)
                    Holder = null;
                waiting.RemoveAll(w => w.Name == name);
                Give();
            }
        }

        private void Give()
        {
            if (Holder is not null || waiting.Count == 0 || Withheld)
                return;
            Holder = waiting[0].Name;
            epoch++;
            foreach ((string _, TaskCompletionSource<long> won) in waiting.Where(w => w.Name == Holder))
                won.TrySetResult(epoch);
            waiting.RemoveAll(w => w.Name == Holder);
        }
    }

    private sealed class Net
    {
        private readonly HashSet<string> cut = new(StringComparer.Ordinal);

        public ConcurrentDictionary<string, AkkaHost> Hosts { get; } = new(StringComparer.Ordinal);

        public void Cut(string name)
        {
            lock (cut)
                cut.Add(name);
        }

        public void Mend()
        {
            lock (cut)
                cut.Clear();
        }

        public bool Reaches(string from, string to)
        {
            lock (cut)
                return !cut.Contains(from) && !cut.Contains(to);
        }

        public async Task<INodeConnection> ConnectAsync(string from, string to, CancellationToken cancellation)
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            if (!Reaches(from, to) || !Hosts.TryGetValue(to, out AkkaHost? host))
                throw new IOException($"{to} is not reached");
            Channel<byte[]> there = Channel.CreateUnbounded<byte[]>();
            Channel<byte[]> back = Channel.CreateUnbounded<byte[]>();
            _ = host.CarryAsync(new Line(this, to, $"{from}:1", there.Reader, back.Writer), CancellationToken.None);
            return new Line(this, from, $"{to}:1", back.Reader, there.Writer);
        }
    }

    /// <summary>What is sent over a line that is cut is lost; nobody is told.</summary>
    private sealed class Line(Net net, string self, string peer, ChannelReader<byte[]> reader, ChannelWriter<byte[]> writer) : INodeConnection
    {
        public string Peer => peer;

        public bool Send(byte[] content) => !net.Reaches(self, peer[..^2]) || writer.TryWrite(content);

        public async Task<string> CarryAsync(Action<ReadOnlyMemory<byte>> arrived, CancellationToken cancellation)
        {
            try
            {
                await foreach (byte[] content in reader.ReadAllAsync(cancellation))
                    arrived(content);
                return "closed";
            }
            catch (OperationCanceledException)
            {
                return "ended";
            }
            finally
            {
                writer.TryComplete();
            }
        }

        public void Close() => writer.TryComplete();

        public ValueTask DisposeAsync()
        {
            writer.TryComplete();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Watches whoever speaks to it, and answers.</summary>
    private sealed class Watcher(ConcurrentQueue<string> heard) : IActor
    {
        public void Receive(IActorContext context, object message)
        {
            if (message is ClusterProtocol.ListSearches asked)
            {
                context.Watch(context.Sender!);
                context.Tell(context.Sender!, new ClusterProtocol.Answer(asked.Ask, null));
            }

            heard.Enqueue(message is Terminated end ? $"end of {end.Actor}" : $"{message.GetType().Name} from {context.Sender}");
        }
    }

    private sealed class Speaker(ActorAddress to) : IActor
    {
        public void Started(IActorContext context) => context.Tell(to, new ClusterProtocol.ListSearches("x"));

        public void Receive(IActorContext context, object message)
        {
            if (message is ClusterProtocol.Answer)
                context.Log(new StateChange(LogEvent.MemberChanged, "Asked", "Lost") { Cause = "answered" });
            else if (message is ClusterProtocol.ListNodes)
                context.Stop();
        }
    }
}
