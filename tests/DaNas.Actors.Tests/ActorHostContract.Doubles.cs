using System.Collections.Concurrent;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Actors.Tests;

/// <summary>The actors that the contract is tried with.</summary>
public abstract partial class ActorHostContract
{
    /// <summary>Messages that came, and waiting for a number of them.</summary>
    protected sealed class Inbox
    {
        private readonly ConcurrentQueue<object> received = new();
        private readonly SemaphoreSlim arrived = new(0);

        public void Add(object message)
        {
            received.Enqueue(message);
            arrived.Release();
        }

        public async Task<object[]> WaitFor(int count)
        {
            while (received.Count < count)
            {
                if (!await arrived.WaitAsync(Patience))
                    throw new TimeoutException($"{received.Count} of {count} messages came: {string.Join(", ", received)}");
            }

            return [.. received];
        }
    }

    /// <summary>An actor that is a delegate.</summary>
    protected sealed class Scripted(Action<IActorContext, object> receive) : IActor
    {
        public void Receive(IActorContext context, object message) => receive(context, message);
    }

    /// <summary>Counts stored events; events are real ones, so that the wire format is in the way.</summary>
    protected sealed class Counter(string id, ActorAddress sink) : IPersistentActor
    {
        private int count;

        public string PersistenceId => id;

        public void Recover(object stored) => count++;

        public void Receive(IActorContext context, object message)
        {
            SearchEvent[] events = [.. Enumerable.Range(0, message is "three" ? 3 : 1).Select(i => new SearchEvent.AttemptFailed($"unit-{i}", 1, "test", false, new Timing(0)))];
            context.Persist(events, () =>
            {
                count += events.Length;
                context.Tell(sink, $"stored {count} at {context.LastSequenceNumber}");
            });
        }
    }
}
