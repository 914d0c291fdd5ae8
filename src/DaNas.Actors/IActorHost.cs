namespace DaNas.Actors;

/// <summary>What a composition root does with a host, whichever it is. Dispose ends every actor.</summary>
public interface IActorHost : IAsyncDisposable
{
    /// <summary>Completes with the reason when the host must not go on (another writer took over).</summary>
    Task<string> Fatal { get; }

    /// <summary>Messages dropped because a mailbox was full.</summary>
    long Overflowed { get; }

    /// <summary>Starts an actor at the top.</summary>
    ActorAddress Spawn(string name, Func<IActor> create);

    /// <summary>An address outside actors: its messages go to a delegate, one at a time.</summary>
    ActorAddress Listen(string name, Action<object> receive);

    void Tell(ActorAddress receiver, object message);

    /// <summary>Registers long work under a name; it runs off the actors and must not block the pool.</summary>
    void OpenPort(string name, Func<object, CancellationToken, Task<object?>> work);

    void PlayRole(string role, ActorAddress address);
}
