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
using DaNas.Runtime.Akka;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Journal;
using DaNas.Runtime.Searches;
using DaNas.Simulation.Engines;

namespace DaNas.Drills;

/// <summary>What orchestration costs: real actors and journal, an engine that answers at once.</summary>
internal static class OverheadBench
{
    /// <summary>Runs a search of about so many units in a folder; how many there were, and the seconds.</summary>
    public static async Task<(int Units, double Seconds)> RunAsync(string folder, int units)
    {
        const int images = 160 * 12;
        SearchConfig config = ConfigLoader.Load(
            "drawn-12",
            [
                "curriculum.order=random", "curriculum.fractions=[1.0]", "warmup.epochs=0", "rounds.shards=1", "rounds.steps=1",
                    "weights.batch=1", "controls.count=0", "retrain.segment-steps=1000000",
                Invariant($"stage.epochs={(double)units / images}"), "derivation.candidates=1",
            ],
            null);
        DatasetSummary data = new("none", Digest.Of("none"), Enumerable.Range(0, 12).Select(c => $"c{c}").ToValueList(),
            Enumerable.Repeat(160, 12).ToValueList(), Enumerable.Repeat(40, 12).ToValueList(), Enumerable.Repeat(1, 12).ToValueList());
        using SqliteJournal journal = SqliteJournal.Open(Path.Combine(folder, "journal.db"));
        using StateLog log = new(Path.Combine(folder, "log.jsonl"), _ => { });
        await using AkkaHost host = await LocalActors.OpenAsync(journal, log);
        LandscapeEngine engine = new(new EngineContext(config, data));
        TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef listener = host.Listen("listener", m =>
        {
            if (m is SearchProtocol.Stored { State.IsOver: true })
                end.TrySetResult();
        });
        CountingRunner runner = new(engine);
        IActorRef dispatcher = host.Spawn(DispatcherActor.Name, DispatcherActor.PropsOf(new DispatcherSettings(1, 60)));
        host.Spawn(TrainerActor.NameOf(0), TrainerActor.PropsOf(0, runner, () => dispatcher, new TrainerMemory()));
        SearchId id = new("bench");
        SearchProtocol.Beginning beginning = new(
            new SearchCommand.Start(new(id, config.Text, config.Hash, data, "none", "tabular")),
                new SearchCommand.Resume(await journal.AcquireAsync($"search-{id}"), "none", 0));
        long started = Stopwatch.GetTimestamp();
        host.Spawn($"search-{id}", SearchActor.PropsOf(id, beginning, new SearchPorts(listener, dispatcher, _ => { }), host.Journal));
        await end.Task;
        return (runner.Done, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private sealed class CountingRunner(LandscapeEngine engine) : IAttemptRunner
    {
        private int done;

        public int Done => done;

        public double SilentSeconds => 0;

        public Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt)
        {
            Interlocked.Increment(ref done);
            return Task.Run(() => engine.RunAsync(attempt.Unit, CancellationToken.None));
        }
    }
}
