using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;

namespace DaNas.SimulationKit;

/// <summary>One process: an actor system of its own, its clock, and whether it runs, is stopped (SIGSTOP), or is dead (kill -9).</summary>
public sealed class SimulatedNode
{
    private static readonly Config Kit = ConfigurationFactory.ParseString(
        """
        akka {
          loggers = []
          loglevel = OFF
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          scheduler.implementation = "DaNas.SimulationKit.VirtualScheduler, DaNas.SimulationKit"
          coordinated-shutdown { run-by-clr-shutdown-hook = off, run-by-actor-system-terminate = off }
          actor {
            provider = "DaNas.SimulationKit.SimulatedActorRefProvider, DaNas.SimulationKit"
            default-dispatcher { type = "DaNas.SimulationKit.SeededDispatcherConfigurator, DaNas.SimulationKit", throughput = 1 }
            internal-dispatcher { type = "DaNas.SimulationKit.SeededDispatcherConfigurator, DaNas.SimulationKit", throughput = 1 }
          }
          persistence {
            dispatchers {
              default-plugin-dispatcher.type = "DaNas.SimulationKit.SeededDispatcherConfigurator, DaNas.SimulationKit"
              default-replay-dispatcher.type = "DaNas.SimulationKit.SeededDispatcherConfigurator, DaNas.SimulationKit"
            }
            journal {
              plugin = "akka.persistence.journal.simulated"
              simulated.class = "DaNas.SimulationKit.SimulatedJournal, DaNas.SimulationKit"
              simulated.plugin-dispatcher = "akka.actor.default-dispatcher"
            }
            snapshot-store {
              plugin = "akka.persistence.snapshot-store.simulated"
              simulated.class = "DaNas.SimulationKit.NoSnapshots, DaNas.SimulationKit"
              simulated.plugin-dispatcher = "akka.actor.default-dispatcher"
            }
          }
        }
        """);

    [ThreadStatic]
    private static SimulatedNode? starting;

    private readonly int index;
    private readonly Config config;
    private readonly List<(long Order, IRunnable Turn)> runnable = [];
    private long orders;
    private TimeSpan pausedUntil;
    private ActorSystemSetup setup = ActorSystemSetup.Empty;
    private ActorSystem? system;

    internal SimulatedNode(SimulatedWorld world, string name, int index, Config config)
    {
        World = world;
        Name = name;
        this.index = index;
        this.config = config.WithFallback(Kit);
    }

    public SimulatedWorld World { get; }

    /// <summary>Also the name of its actor system: its actors have the paths <c>akka://NAME/user/...</c>.</summary>
    public string Name { get; }

    public bool IsAlive { get; private set; }

    /// <summary>How often the process died.</summary>
    public int Incarnation { get; private set; }

    public bool IsPaused => World.Elapsed < pausedUntil;

    /// <summary>What its clock is wrong by.</summary>
    public TimeSpan Skew { get; set; }

    public DateTimeOffset Now => World.Now + Skew;

    /// <summary>Made when it is first asked for: a node that only stands by costs nothing.</summary>
    public ActorSystem System => system ??= IsAlive ? Create() : throw new InvalidOperationException($"{Name} does not run");

    /// <summary>Whether there is an actor system that a message could reach.</summary>
    internal bool Listens => IsAlive && system is not null;

    /// <summary>Mailboxes that can run now.</summary>
    internal int Runnable => IsPaused ? 0 : runnable.Count;

    /// <summary>The node whose actor system is being made on this thread: Akka makes a scheduler without telling it for whom.</summary>
    internal static SimulatedNode Starting => starting ?? throw new InvalidOperationException(
        "this scheduler and provider are for simulated nodes only");

    /// <summary>Starts an empty process.</summary>
    public void Start(params ReadOnlySpan<Setup> setups)
    {
        if (IsAlive)
            throw new InvalidOperationException($"{Name} runs already");
        World.History.Add($"start {Name}");
        IsAlive = true;
        setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), new NodeSetup(this));
        foreach (Setup each in setups)
            setup = setup.And(each);
    }

    /// <summary>kill -9: everything in memory is gone. Whoever watches from another node hears of it after 0.5 to 6 s.</summary>
    public void Crash()
    {
        if (!IsAlive)
            return;
        World.History.Add($"crash {Name}");
        IsAlive = false;
        system = null; // Never terminated: nothing of a killed process runs on.
        runnable.Clear();
        pausedUntil = TimeSpan.Zero;
        Incarnation++;
        World.Network.Vanished(this, World.Between(0.5, 6));
    }

    /// <summary>SIGSTOP and, later, SIGCONT. Others take it for dead after 4 to 8 s; it knows nothing of that.</summary>
    public void Pause(TimeSpan duration)
    {
        if (!IsAlive)
            return;
        World.History.Add($"pause {Name}");
        pausedUntil = World.Elapsed + duration;
        TimeSpan patience = World.Between(4, 8);
        int incarnation = Incarnation;
        if (duration <= patience)
            return;
        World.After(patience, () =>
        {
            if (IsAlive && incarnation == Incarnation && IsPaused)
                World.Network.Vanished(this, TimeSpan.Zero);
        });
    }

    /// <summary>Something of this process: dropped when it has died meanwhile, put off while it is stopped.</summary>
    public void After(TimeSpan delay, Action action)
    {
        int incarnation = Incarnation;
        World.After(delay, Act);

        void Act()
        {
            if (incarnation != Incarnation || !IsAlive)
                return;
            if (IsPaused)
                World.After(pausedUntil - World.Elapsed, Act);
            else
                action();
        }
    }

    /// <summary>A number for a mailbox: in the order of their making, which is the same in every run.</summary>
    internal long NextOrder() => orders++;

    /// <summary>From the dispatcher of one incarnation: a turn that can be taken.</summary>
    internal void Enqueue(int incarnation, long turnOrder, IRunnable turn)
    {
        if (!World.IsOwnThread(turn is Mailbox ? $"a mailbox of {Name}" : $"a task of {Name}") || incarnation != Incarnation)
            return;
        int at = runnable.Count;
        while (at > 0 && runnable[at - 1].Order > turnOrder)
            at--;
        runnable.Insert(at, (turnOrder, turn));
    }

    private ActorSystem Create()
    {
        SimulatedNode? before = starting;
        starting = this;
        try
        {
            return ActorSystem.Create(Name, setup);
        }
        finally
        {
            starting = before;
        }
    }

    internal void Run(int which)
    {
        (long turnOrder, IRunnable turn) = runnable[which];
        runnable.RemoveAt(which);
        World.History.Add(((ulong)index << 48) | (ulong)turnOrder);
        turn.Run();
    }
}

/// <summary>How what Akka makes by its name in the configuration finds its node.</summary>
internal sealed class NodeSetup(SimulatedNode node) : Setup
{
    public SimulatedNode Node => node;

    public static SimulatedNode Of(Settings settings) => settings.Setup.Get<NodeSetup>().Value.Node;
}
