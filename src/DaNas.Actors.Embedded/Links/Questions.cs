using System.Collections.Concurrent;
using DaNas.Actors.Cluster;

namespace DaNas.Actors.Embedded.Links;

/// <summary>Asks actors from outside, and waits: a question is told again until it is answered or the time is up.</summary>
public sealed class Questions
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<IAsk>> waiting = new(StringComparer.Ordinal);
    private readonly ActorAddress self;
    private readonly IActorHost host;

    public Questions(IActorHost host)
    {
        this.host = host;
        self = host.Listen("questions", m =>
        {
            if (m is IAsk answer && waiting.TryRemove(answer.Ask, out TaskCompletionSource<IAsk>? done))
                done.TrySetResult(answer);
        });
    }

    /// <summary>Throws <see cref="TimeoutException"/>.</summary>
    public async Task<T> AskAsync<T>(string role, Func<string, IAsk> question, TimeSpan patience, CancellationToken cancellation)
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
                host.Tell(host.Resolve(role), asked, self);
                Task first = await Task.WhenAny(done.Task, Task.Delay(Again, cancellation));
                cancellation.ThrowIfCancellationRequested();
                if (first == done.Task)
                    return await done.Task as T ?? throw new InvalidDataException($"{asked.GetType().Name} was answered by {(await done.Task).GetType().Name}");
            }

            throw new TimeoutException($"nobody answered {asked.GetType().Name} within {patience.TotalSeconds:0} s");
        }
        finally
        {
            waiting.TryRemove(key, out _);
        }
    }
}
