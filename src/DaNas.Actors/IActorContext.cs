using DaNas.Actors.Logging;

namespace DaNas.Actors;

/// <summary>Where an actor lives; a value, so that it can travel in messages: <c>/search-7/stage-2/L03-k5e6</c>.</summary>
public sealed record ActorAddress(string Path)
{
    /// <summary>The host in <c>//host/path</c>; empty for an address within one host.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Host => Path.StartsWith("//", StringComparison.Ordinal) && Path.IndexOf('/', 2) is > 2 and int end ? Path[2..end] : string.Empty;

    [System.Text.Json.Serialization.JsonIgnore]
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public override string ToString() => Path;
}

/// <summary>An actor is written once and acts only through its context: no threads, no clock, no tasks, no host's types.</summary>
public interface IActor
{
    /// <summary>Handles one message to its end; the host never runs two at once for the same actor.</summary>
    void Receive(IActorContext context, object message);

    /// <summary>Called before the first message, and again after every restart (after recovery for a persistent actor).</summary>
    void Started(IActorContext context)
    {
    }
}

/// <summary>An actor whose state is the fold of what it persisted.</summary>
public interface IPersistentActor : IActor
{
    string PersistenceId { get; }

    /// <summary>Applies one stored event; pure, called before <see cref="IActor.Started"/>.</summary>
    void Recover(object stored);
}

/// <summary>
/// All that an actor can do. The contract, which every host passes (ActorHostContract): order holds per sender and receiver;
/// persisting holds back what follows; a failed persist stops the actor and a back-off supervisor rebuilds it from the journal; a
/// restart drops the failing message and keeps the mailbox; a child's name is free again only after it has ended; tell never
/// blocks: overflow is counted and dropped, and every protocol re-sends.
/// </summary>
public interface IActorContext
{
    ActorAddress Self { get; }

    ActorAddress? Parent { get; }

    /// <summary>Who told the message that is being handled; null for timers and ports.</summary>
    ActorAddress? Sender { get; }

    /// <summary>The host's clock.</summary>
    DateTimeOffset Now { get; }

    /// <summary>Sequence number of the last event persisted or recovered; 0 before the first.</summary>
    long LastSequenceNumber { get; }

    void Tell(ActorAddress receiver, object message);

    /// <summary>Starts a child. A name in use throws: the old child must have ended (watch it).</summary>
    ActorAddress Spawn(string name, Func<IActor> create);

    bool HasChild(string name);

    /// <summary>Asks for one <see cref="Terminated"/> when the actor has ended, at once if it has already.</summary>
    void Watch(ActorAddress actor);

    /// <summary>One message to self after a delay; a timer of the same key is replaced. Ended with the actor.</summary>
    void StartTimer(string key, TimeSpan delay, object message);

    void CancelTimer(string key);

    /// <summary>Stores the events all or none, then calls back in the actor's turn; messages wait meanwhile. Persistent actors only.</summary>
    void Persist(IReadOnlyList<object> events, Action stored);

    /// <summary>Runs long work outside the actor; comes back as <see cref="PortReply"/>.</summary>
    void Run(string port, object request);

    /// <summary>The address that plays a well-known role, such as <c>dispatcher</c>.</summary>
    ActorAddress Resolve(string role);

    /// <summary>Ends this actor after this message, its children first.</summary>
    void Stop();

    void StopChild(string name);

    /// <summary>Writes one structured line.</summary>
    void Log(StateChange change);
}

/// <summary>A watched actor has ended.</summary>
public sealed record Terminated(ActorAddress Actor);

/// <summary>Between hosts: an actor there wants to hear of the end of an actor here.</summary>
public sealed record WatchAsked(ActorAddress Actor);

/// <summary>What a port gave; failures of the port itself are text.</summary>
public sealed record PortReply(string Port, object Request, object? Reply, string? Failure);
