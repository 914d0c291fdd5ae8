using System.Diagnostics;
using Akka.Actor;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Journal;
using DaNas.Runtime.Searches;

namespace DaNas.Drills;

/// <summary>
/// Events a second through one persistent actor, the next one after the last was acknowledged, into SQLite; and read back whole.
/// </summary>
internal sealed record JournalRates(double SinglePerSecond, double BatchedPerSecond, double RecoveredPerSecond, double ReplayPerSecond);

/// <summary>What the journal takes and gives, as a search's actor uses it.</summary>
internal static class JournalBench
{
    private const int Singles = 2000;
    private const int Batched = 50_000;
    private const int Batch = 100;

    public static async Task<JournalRates> RunAsync(string file)
    {
        await StoreAsync(file, "warm-up", 200, 10);
        double single = Singles / await StoreAsync(file, "single", Singles, 1);
        double batched = Batched / await StoreAsync(file, "batched", Batched, Batch);
        double recovered = Batched / await StoreAsync(file, "batched", 0, Batch);
        using SqliteJournal journal = SqliteJournal.OpenReadOnly(file);
        long started = Stopwatch.GetTimestamp();
        int read = (await journal.ReadAsync("batched")).Count;
        return new(Math.Round(single), Math.Round(batched), Math.Round(recovered),
            Math.Round(read / Stopwatch.GetElapsedTime(started).TotalSeconds));
    }

    /// <summary>Seconds for so many events; for none: until what is there has been recovered.</summary>
    private static async Task<double> StoreAsync(string file, string id, int count, int batch)
    {
        using SqliteJournal journal = SqliteJournal.Open(file);
        await journal.AcquireAsync(id);
        await using AkkaHost host = await LocalActors.OpenAsync(journal, new Silence());
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef listener = host.Listen("listener", m => (m is "begun" ? begun : done).TrySetResult());
        long started = Stopwatch.GetTimestamp();
        (IActorRef, WritersJournal) around = (listener, host.Journal);
        IActorRef writer = host.Spawn("writer", Props.Create(() => new WritingActor(id, batch, count, around))
            .WithDispatcher(SealedPersistentActor.Dispatcher));
        await Task.WhenAny(begun.Task, host.Fatal);
        if (count == 0)
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        started = Stopwatch.GetTimestamp();
        writer.Tell("go");
        if (await Task.WhenAny(done.Task, host.Fatal) != done.Task)
            throw new Domain.Ports.DataException($"the actors ended: {await host.Fatal}");
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private sealed class WritingActor : SealedPersistentActor
    {
        private readonly IActorRef listener;
        private int left;

        public WritingActor(string id, int batch, int count, (IActorRef Listener, WritersJournal Journal) around)
            : base(id, around.Journal, new WriterHealth())
        {
            listener = around.Listener;
            left = count;
            object[] events = [.. Enumerable.Range(0, batch)
                .Select(i => new SearchEvent.AttemptFailed($"unit-{i}", 1, "bench", false, new Timing(0)))];
            Command<string>(_ => PersistSealed(events, () =>
            {
                left -= batch;
                (left > 0 ? Self : listener).Tell(left > 0 ? "go" : "done");
            }));
        }

        protected override void Apply(object stored)
        {
        }

        protected override void Recovered() => listener.Tell("begun");
    }

    private sealed class Silence : IStateLog
    {
        public void Write(string actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
