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

    /// <summary>As if an actor had told it: answers go to <paramref name="sender"/>.</summary>
    void Tell(ActorAddress receiver, object message, ActorAddress sender);

    /// <summary>Registers long work under a name; it runs off the actors and must not block the pool.</summary>
    void OpenPort(string name, Func<object, CancellationToken, Task<object?>> work);

    void PlayRole(string role, ActorAddress address);

    /// <summary>Who plays a role; an actor of that name at the top where nobody was named.</summary>
    ActorAddress Resolve(string role);

    /// <summary>The address of an actor at the top of this host, as others reach it.</summary>
    ActorAddress AddressOf(string name);
}
