using System.Diagnostics;
using DaNas.Actors;
using DaNas.Actors.Dispatch;
using DaNas.Actors.Logging;
using DaNas.Actors.Searches;
using DaNas.Actors.Simulated;
using DaNas.Actors.Trainers;
using DaNas.Cli.Configuration;
using DaNas.Domain.Configuration;
using DaNas.Domain.Searches;
using DaNas.Domain.Stages;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Ports;
using DaNas.Tabular;

namespace DaNas.Cli.Drills;

/// <summary>How much there is, and how long a unit takes (virtual seconds).</summary>
internal sealed record ScaleRequest(int Trainers, int Searches, int Units, double UnitSeconds);

/// <summary>
/// What it took. CPU is that of the whole simulation in one thread, trainers' actors and both ends of every message included: an upper bound of the
/// coordinator's. Load: CPU seconds a virtual second; at 1 a coordinator of one core would not keep up.
/// </summary>
internal sealed record ScaleResult(int Trainers, int Searches, long Units, long Events, double VirtualSeconds, double CpuSeconds, double MemoryMegabytes, double TrainersBusy)
{
    public double CpuMillisecondsPerUnit => 1000 * CpuSeconds / Units;

    public double UnitsPerSecond => Units / VirtualSeconds;

    public double EventsPerSecond => Events / VirtualSeconds;

    public double Load => CpuSeconds / VirtualSeconds;
}

/// <summary>The real search actors, dispatcher and trainers' actors with real serialisation, in virtual time: many trainers, many searches at once.</summary>
internal sealed class ScaleRun(ScaleRequest request)
{
    private const int Shards = 20;

    private readonly Dictionary<string, LandscapeEngine> engines = new(StringComparer.Ordinal);
    private long units;
    private long events;
    private int over;
    private double busy;

    public ScaleResult Run()
    {
        SimulatedWorld world = new(1, new NoLog());
        SimulatedNode coordinator = world.AddNode("c");
        world.Store.Stored = (_, _, _, _) => events++;
        coordinator.OpenPort(Actors.Ports.Blobs, (_, reply) => reply(null, null));
        world.PlayRole(Roles.Dispatcher, coordinator.Spawn(Roles.Dispatcher, () => new DispatcherActor(new DispatcherSettings(3, 15))));
        for (int i = 0; i < request.Trainers; i++)
            AddTrainer(world, i);
        ActorAddress listener = coordinator.Listen("listener", m =>
        {
            if (m is SearchProtocol.Stored { State.IsOver: true, Event: SearchEvent.SearchCompleted })
                over++;
        });
        SearchConfig config = Config();
        DatasetSummary data = new("none", Digest.Of("none"), Enumerable.Range(0, 8).Select(c => $"c{c}").ToValueList(), Enumerable.Repeat(200, 8).ToValueList(), Enumerable.Repeat(8, 8).ToValueList(), Enumerable.Repeat(8, 8).ToValueList());
        for (int s = 0; s < request.Searches; s++)
        {
            SearchId id = new(Verbs.Output.Text($"s{s}"));
            engines[id.Text] = new LandscapeEngine(new EngineContext(config, data));
            SearchEvent.SearchStarted first = new(id, config.Text, config.Hash, data, "simulated", "tabular");
            long epoch = coordinator.Acquire($"search-{id}");
            coordinator.Spawn($"search-{id}", () => new SearchActor(id, new SearchProtocol.Beginning(new SearchCommand.Start(first), new SearchCommand.Resume(epoch, "simulated", 0)), listener));
        }

        using Process self = Process.GetCurrentProcess();
        TimeSpan before = self.TotalProcessorTime;
        if (!world.RunUntil(() => over == request.Searches, TimeSpan.FromDays(365)))
            throw new InvalidDataException("the searches did not end within a virtual year");
        self.Refresh();
        return new(
            request.Trainers, request.Searches, units, events, world.Elapsed.TotalSeconds, (self.TotalProcessorTime - before).TotalSeconds, GC.GetTotalMemory(true) / 1e6, busy / (request.Trainers * world.Elapsed.TotalSeconds));
    }

    private void AddTrainer(SimulatedWorld world, int number)
    {
        SimulatedNode node = world.AddNode(Verbs.Output.Text($"t{number}"));
        node.OpenPort(Actors.Ports.Pulse(number), (_, reply) => reply(0.0, null));
        node.OpenPort(Actors.Ports.Engine(number), (asked, reply) =>
        {
            DispatchProtocol.RunAttempt attempt = (DispatchProtocol.RunAttempt)asked;
            TimeSpan takes = attempt.Unit is WorkUnit.MergeRound ? TimeSpan.FromSeconds(0.5) : world.Between(0.9 * request.UnitSeconds, 1.1 * request.UnitSeconds);
            busy += takes.TotalSeconds;
            world.After(takes, () =>
            {
                units++;
                reply(new UnitOutcome.Completed(engines[attempt.Search].Answer(attempt.Unit)), null);
            });
        });
        world.After(world.Between(0, 1), () => node.Spawn(TrainerActor.NameOf(number), () => new TrainerActor(number)));
    }

    /// <summary>Rounds of twenty shards, as many as make the units asked for.</summary>
    private SearchConfig Config()
    {
        int perSearch = Math.Max(Shards + 1, request.Units / request.Searches);
        double epochs = Math.Max(1, perSearch / (Shards + 1)) * Shards / 1600.0;
        return ConfigLoader.Load(
            "drawn-12",
            [
                "data.drawn.classes=8", "curriculum.order=random", "curriculum.fractions=[1.0]", "warmup.epochs=0", Verbs.Output.Text($"rounds.shards={Shards}"), "rounds.steps=1", "weights.batch=1", "controls.count=0",
                "retrain.segment-steps=1000000", Verbs.Output.Text($"stage.epochs={epochs:0.######}"), "derivation.candidates=1",
            ],
            null);
    }

    private sealed class NoLog : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
