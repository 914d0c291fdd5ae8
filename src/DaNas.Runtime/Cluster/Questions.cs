using System.Collections.Concurrent;
using Akka.Actor;
using DaNas.Actors.Cluster;
using DaNas.Runtime.Akka;

namespace DaNas.Runtime.Cluster;

/// <summary>Asks actors from outside, and waits: a question is told again until it is answered or the time is up.</summary>
internal sealed class Questions
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<IAsk>> waiting = new(StringComparer.Ordinal);
    private volatile IActorRef self = ActorRefs.Nobody;
    private volatile IActorRef leader = ActorRefs.Nobody;
    private volatile TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The host whose actors are asked from now on; answers come to an actor of that name.</summary>
    public void MoveTo(AkkaHost host, string name) => self = host.Listen(name, m =>
    {
        if (m is IAsk answer && waiting.TryRemove(answer.Ask, out TaskCompletionSource<IAsk>? done))
            done.TrySetResult(answer);
    });

    /// <summary>Who answers from now on, the leader's reception: what is open is asked again at once.</summary>
    public void AskFrom(IActorRef reception)
    {
        leader = reception;
        TaskCompletionSource former = moved;
        moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
        former.TrySetResult();
    }

    /// <summary>Throws <see cref="TimeoutException"/>.</summary>
    public async Task<T> AskAsync<T>(Func<string, IAsk> question, TimeSpan patience, CancellationToken cancellation)
        where T : class, IAsk
    {
        string key = Guid.NewGuid().ToString("N");
        TaskCompletionSource<IAsk> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[key] = done;
        IAsk asked = question(key);
        try
        {
            long until = Environment.TickCount64 + (long)patience.TotalMilliseconds;
            while (Environment.TickCount64 < until)
            {
                Task elsewhere = moved.Task;
                leader.Tell(asked, self);
                Task first = await Task.WhenAny(done.Task, elsewhere, Task.Delay(Again, cancellation));
                cancellation.ThrowIfCancellationRequested();
                if (first == done.Task)
                    return await done.Task as T ?? throw new InvalidDataException(
                        $"{asked.GetType().Name} was answered by {(await done.Task).GetType().Name}");
            }

            throw new TimeoutException($"no response to {asked.GetType().Name} within {patience.TotalSeconds:0} s");
        }
        finally
        {
            waiting.TryRemove(key, out _);
        }
    }
}
