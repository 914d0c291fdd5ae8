using System.Diagnostics;
using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Searches;
using DaNas.Actors.Trainers;
using DaNas.Domain.Configuration;
using DaNas.Domain.Ports;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Runtime.Configuration;
using DaNas.Simulation;
using DaNas.Simulation.Engines;
using DaNas.SimulationKit;

namespace DaNas.Drills;

/// <summary>How much there is, and how long a unit takes (virtual seconds).</summary>
internal sealed record ScaleRequest(int Trainers, int Searches, int Units, double UnitSeconds);

/// <summary>
/// What it took. CPU is that of the whole simulation in one thread, trainers' actors and both ends of every message included: an upper
/// bound of the coordinator's. Load: CPU seconds a virtual second; at 1 a coordinator of one core would not keep up.
/// </summary>
internal sealed record ScaleResult(int Trainers, int Searches, long Units, long Events, double VirtualSeconds, double CpuSeconds,
    double MemoryMegabytes, double TrainersBusy)
{
    public double CpuMillisecondsPerUnit => 1000 * CpuSeconds / Units;

    public double UnitsPerSecond => Units / VirtualSeconds;

    public double EventsPerSecond => Events / VirtualSeconds;

    public double Load => CpuSeconds / VirtualSeconds;
}

/// <summary>
/// The real search actors, dispatcher and trainers' actors with real serialisation, in virtual time: many trainers, many searches at once.
/// </summary>
internal sealed class ScaleRun(ScaleRequest request)
{
    private readonly ScaleRequest request = request;
    private const int Shards = 20;

    private readonly Dictionary<string, LandscapeEngine> engines = new(StringComparer.Ordinal);
    private long units;
    private long events;
    private int over;
    private double busy;

    public ScaleResult Run()
    {
        SimulatedWorld world = new(1);
        SimulatedNode coordinator = world.AddNode("c", SimulatedCluster.Configuration);
        coordinator.Start();
        world.Store.Stored = a => events += a.Rows.Count;
        IActorRef dispatcher = coordinator.System.ActorOf(DispatcherActor.PropsOf(new DispatcherSettings(3, 15)), DispatcherActor.Name);
        string leader = dispatcher.Path.ToStringWithAddress();
        for (int i = 0; i < request.Trainers; i++)
            AddTrainer(world, i, leader);
        Action<object> hear = Heard;
        IActorRef listener = coordinator.System.ActorOf(Props.Create(() => new ListeningActor(hear)), "listener");
        SearchConfig config = Config();
        DatasetSummary data = new("none", Digest.Of("none"), Enumerable.Range(0, 8).Select(c => $"c{c}").ToValueList(),
            Enumerable.Repeat(200, 8).ToValueList(), Enumerable.Repeat(8, 8).ToValueList(), Enumerable.Repeat(8, 8).ToValueList());
        for (int s = 0; s < request.Searches; s++)
        {
            SearchId id = new(Invariant($"s{s}"));
            engines[id.Text] = new LandscapeEngine(new EngineContext(config, data));
            SearchEvent.SearchStarted first = new(id, config.Text, config.Hash, data, "simulated", "tabular");
            SearchProtocol.Beginning beginning = new(new SearchCommand.Start(first), new SearchCommand.Resume(1, "simulated", 0));
            coordinator.System.ActorOf(SearchActor.PropsOf(id, beginning, new SearchPorts(listener, dispatcher, _ => { }),
                new SimulatedTables($"search-{id}", 1).Journal()), $"search-{id}");
        }

        using Process self = Process.GetCurrentProcess();
        TimeSpan before = self.TotalProcessorTime;
        if (!world.RunUntil(() => over == request.Searches, TimeSpan.FromDays(365)))
            throw new InvalidDataException("the searches did not end within a virtual year");
        self.Refresh();
        return new(
            request.Trainers, request.Searches, units, events, world.Elapsed.TotalSeconds, (self.TotalProcessorTime - before).TotalSeconds,
                GC.GetTotalMemory(true) / 1e6, busy / (request.Trainers * world.Elapsed.TotalSeconds));
    }

    private void AddTrainer(SimulatedWorld world, int number, string leader)
    {
        SimulatedNode node = world.AddNode(Invariant($"t{number}"), SimulatedCluster.Configuration);
        Runner runner = new(this, world);
        world.After(world.Between(0, 1), () =>
        {
            node.Start();
            IActorRef dispatcher = ((ExtendedActorSystem)node.System).Provider.ResolveActorRef(leader);
            node.System.ActorOf(TrainerActor.PropsOf(number, runner, () => dispatcher, new TrainerMemory()), TrainerActor.NameOf(number));
        });
    }

    private void Heard(object message)
    {
        if (message is SearchProtocol.Stored { State.IsOver: true, Event: SearchEvent.SearchCompleted })
            over++;
    }

    /// <summary>Rounds of twenty shards, as many as make the units asked for.</summary>
    private SearchConfig Config()
    {
        int perSearch = Math.Max(Shards + 1, request.Units / request.Searches);
        double epochs = Math.Max(1, perSearch / (Shards + 1)) * Shards / 1600.0;
        return ConfigLoader.Load(
            "drawn-12",
            [
                "data.drawn.classes=8", "curriculum.order=random", "curriculum.fractions=[1.0]", "warmup.epochs=0",
                    Invariant($"rounds.shards={Shards}"), "rounds.steps=1", "weights.batch=1", "controls.count=0",
                "retrain.segment-steps=1000000", Invariant($"stage.epochs={epochs:0.######}"), "derivation.candidates=1",
            ],
            null);
    }

    private sealed class ListeningActor : ReceiveActor
    {
        public ListeningActor(Action<object> heard) => ReceiveAny(heard);
    }

    private sealed class Runner(ScaleRun run, SimulatedWorld world) : IAttemptRunner
    {
        public double SilentSeconds => 0;

        public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt)
        {
            TaskCompletionSource<UnitOutcome> reply = new();
            TimeSpan takes = attempt.Unit is WorkUnit.MergeRound
                ? TimeSpan.FromSeconds(0.5) : world.Between(0.9 * run.request.UnitSeconds, 1.1 * run.request.UnitSeconds);
            run.busy += takes.TotalSeconds;
            world.After(takes, () =>
            {
                run.units++;
                reply.SetResult(new UnitOutcome.Completed(run.engines[attempt.Search].Answer(attempt.Unit)));
            });
            return reply.Task;
        }
    }
}
