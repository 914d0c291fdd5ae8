using Akka.Actor;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;
using DaNas.Runtime.Akka;
using DaNas.Runtime.Configuration;

namespace DaNas.Runtime.Searches;

/// <summary>Actors of one machine: Akka.NET without remoting, cluster or port.</summary>
internal static class LocalActors
{
    /// <summary>Timings and bounds (hocon/akka/reference.conf).</summary>
    public static string Timings => File.ReadAllText(Path.Combine(ConfigLoader.Home, "akka", "reference.conf"));

    /// <summary>Over a journal that this process has opened for writing, or over none.</summary>
    public static async Task<AkkaHost> OpenAsync(IEventJournal? journal, IStateLog log)
    {
        if (journal is IFencedTables tables)
            await tables.FenceAsync();
        return await AkkaHost.StartAsync(Timings, journal as IFencedTables, log);
    }

    /// <summary>
    /// Stores events of one persistence id, all or none, as its only writer; for verbs that write a journal without a search. Throws
    /// <see cref="JournalException"/>.
    /// </summary>
    public static async Task StoreAsync(IEventJournal journal, string persistenceId, IReadOnlyList<object> events)
    {
        Complaints complaints = new();
        await using AkkaHost host = await OpenAsync(journal, complaints);
        TaskCompletionSource stored = new(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Spawn("store", Props.Create(() => new StoringActor(persistenceId, events, stored, host.Journal))
            .WithDispatcher(SealedPersistentActor.Dispatcher));
        Task first = await Task.WhenAny(stored.Task, complaints.Unavailable.Task, host.Fatal);
        if (first is Task<string> why)
            throw new JournalException(JournalFault.Unavailable, await why);
    }

    private sealed class StoringActor(string persistenceId, IReadOnlyList<object> events,
        TaskCompletionSource stored, WritersJournal journal)
        : SealedPersistentActor(persistenceId, journal, new WriterHealth())
    {
        protected override void Apply(object stored)
        {
        }

        protected override void Recovered() => PersistSealed(events, () => stored.TrySetResult());
    }

    /// <summary>A store that cannot be used now is not waited for here.</summary>
    private sealed class Complaints : IStateLog
    {
        public TaskCompletionSource<string> Unavailable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Write(string actor, DateTimeOffset at, StateChange change)
        {
            if (change.Event == LogEvent.JournalUnavailable)
                Unavailable.TrySetResult(change.Cause ?? "the journal cannot be written now");
        }
    }
}
