using System.Diagnostics;
using DaNas.Actors;
using DaNas.Actors.Embedded;
using DaNas.Actors.Logging;
using DaNas.Cli.Running;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Cli.Verbs;

/// <summary>Events a second through one persistent actor, the next one after the last was acknowledged, into SQLite.</summary>
internal sealed record HostRate(double SinglePerSecond, double BatchedPerSecond, double RecoveredPerSecond);

/// <summary>The same persistent actor on each host of this build.</summary>
internal static class HostBench
{
    private const int Singles = 2000;
    private const int Batched = 50_000;
    private const int Batch = 100;

    /// <summary>By the hosts' names.</summary>
    public static async Task<IReadOnlyDictionary<string, HostRate>> RunAsync(string folder)
    {
        Dictionary<string, HostRate> rates = [];
        foreach (HostKind kind in Hosts.HasAkka ? new[] { HostKind.Embedded, HostKind.Akka } : [HostKind.Embedded])
        {
            string name = kind == HostKind.Akka ? "akka" : "embedded";
            string file = Path.Combine(folder, $"{name}.db");
            await StoreAsync(kind, file, "warm-up", 200, 10);
            double single = Singles / await StoreAsync(kind, file, "single", Singles, 1);
            double batched = Batched / await StoreAsync(kind, file, "batched", Batched, Batch);
            rates[name] = new(Math.Round(single), Math.Round(batched), Math.Round(Batched / await StoreAsync(kind, file, "batched", 0, Batch)));
        }

        return rates;
    }

    /// <summary>Seconds for so many events; for none: until what is there has been recovered.</summary>
    private static async Task<double> StoreAsync(HostKind kind, string file, string id, int count, int batch)
    {
        using SqliteJournal journal = SqliteJournal.Open(file, TimeProvider.System);
        await journal.AcquireAsync(id);
        await using IActorHost host = await Hosts.OpenAsync(kind, journal, new Silence());
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ActorAddress listener = host.Listen("listener", m => (m is "begun" ? begun : done).TrySetResult());
        long started = Stopwatch.GetTimestamp();
        ActorAddress writer = host.Spawn("writer", () => new Writer(id, batch, count, listener));
        await Task.WhenAny(begun.Task, host.Fatal);
        if (count == 0)
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        started = Stopwatch.GetTimestamp();
        host.Tell(writer, "go");
        if (await Task.WhenAny(done.Task, host.Fatal) != done.Task)
            throw new Ports.DataException($"the host ended: {await host.Fatal}");
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private sealed class Writer(string id, int batch, int count, ActorAddress listener) : IPersistentActor
    {
        private readonly object[] events = [.. Enumerable.Range(0, batch).Select(i => new SearchEvent.AttemptFailed($"unit-{i}", 1, "bench", false, new Timing(0)))];
        private int left = count;

        public string PersistenceId => id;

        public void Recover(object stored)
        {
        }

        public void Started(IActorContext context) => context.Tell(listener, "begun");

        public void Receive(IActorContext context, object message) => context.Persist(events, () =>
        {
            left -= batch;
            context.Tell(left > 0 ? context.Self : listener, left > 0 ? "go" : "done");
        });
    }

    private sealed class Silence : IStateLog
    {
        public void Write(ActorAddress actor, DateTimeOffset at, StateChange change)
        {
        }
    }
}
