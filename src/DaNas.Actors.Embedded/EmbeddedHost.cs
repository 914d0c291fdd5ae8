using System.Collections.Concurrent;
using DaNas.Actors.Journals;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Embedded;

/// <summary>
/// Runs actors in this process: one asynchronous loop an actor over a bounded mailbox, supervision with back-off, events in a
/// journal. It passes ActorHostContract.
/// </summary>
public sealed class EmbeddedHost : IActorHost, Links.ILinkedHost
{
    private readonly ConcurrentDictionary<string, ActorCell> cells = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ActorAddress> roles = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<object, CancellationToken, Task<object?>>> ports = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<string> fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();

    public EmbeddedHost(HostOptions options, IEventJournal? journal, IStateLog log, TimeProvider time)
    {
        Options = options;
        Journal = journal;
        Log = log;
        Time = time;
    }

    /// <summary>This host among others; empty where it is alone. Its addresses are then <c>//name/path</c>.</summary>
    public string Name { get; init; } = string.Empty;

    /// <summary>The way to other hosts; null where there is none.</summary>
    public Links.LinkHub? Links { get; set; }

    /// <summary>Completes with the reason when the host must not go on (another writer took over).</summary>
    public Task<string> Fatal => fatal.Task;

    /// <summary>Messages dropped because a mailbox was full.</summary>
    public long Overflowed => cells.Values.Sum(c => c.Overflowed);

    internal HostOptions Options { get; }

    internal IEventJournal? Journal { get; }

    internal IStateLog Log { get; }

    internal TimeProvider Time { get; }

    internal CancellationToken Stopping => stopping.Token;

    /// <summary>Starts an actor at the top.</summary>
    public ActorAddress Spawn(string name, Func<IActor> create)
    {
        ActorAddress address = AddressOf(name);
        Start(new ActorCell(this, address, null, create));
        return address;
    }

    /// <summary>An address outside actors: its messages go to a delegate, one at a time.</summary>
    public ActorAddress Listen(string name, Action<object> receive) => Spawn(name, () => new Listener(receive));

    public void Tell(ActorAddress receiver, object message) => Deliver(receiver, new Mail(message, null));

    public void Tell(ActorAddress receiver, object message, ActorAddress sender) => Deliver(receiver, new Mail(message, sender));

    public void PlayRole(string role, ActorAddress address) => roles[role] = address;

    /// <summary>Registers long work under a name; it runs off the actors and must not block the pool.</summary>
    public void OpenPort(string name, Func<object, CancellationToken, Task<object?>> work) => ports[name] = work;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (ActorCell cell in cells.Values.Where(c => c.Parent is null).ToList())
            cell.RequestStop();
        await Task.WhenAll(cells.Values.Select(c => c.Completion).ToList());
        stopping.Dispose();
    }

    internal void Start(ActorCell cell)
    {
        if (!cells.TryAdd(cell.Self.Path, cell))
            throw new InvalidOperationException($"the name {cell.Self} is in use");
        cell.Start();
    }

    internal void Ended(ActorCell cell) => cells.TryRemove(cell.Self.Path, out _);

    internal ActorCell? Find(ActorAddress address) => cells.GetValueOrDefault(address.Path);

    internal void Deliver(ActorAddress receiver, Mail mail)
    {
        if (IsElsewhere(receiver))
            Links?.Send(receiver, mail.Sender ?? (mail.Message as Terminated)?.Actor, mail.Message);
        else
            Find(receiver)?.Post(mail);
    }

    /// <summary>From another host: an ordinary message, somebody who wants to hear of an end, or such an end.</summary>
    public void Arrived(ActorAddress receiver, ActorAddress? sender, object message)
    {
        if (message is WatchAsked && sender is not null)
        {
            if (Find(receiver) is not { } cell || !cell.AddWatcher(sender))
                Links?.Send(sender, receiver, new Terminated(receiver));
        }
        else if (message is Terminated end)
        {
            Find(receiver)?.EndedElsewhere(end.Actor);
        }
        else
        {
            Find(receiver)?.Post(new Mail(message, sender));
        }
    }

    internal bool IsElsewhere(ActorAddress address) => address.Host is { Length: > 0 } host && host != Name;

    /// <summary>Nobody there can be reached any more: whoever is watched there has ended, as far as can be told from here.</summary>
    public void Lost(string host)
    {
        foreach (ActorCell cell in cells.Values)
            cell.LostHost(host);
    }

    /// <inheritdoc/>
    public void Say(StateChange change) => Log.Write(AddressOf("links"), Time.GetUtcNow(), change);

    public ActorAddress AddressOf(string name) => new(Name.Length == 0 ? $"/{name}" : $"//{Name}/{name}");

    public ActorAddress Resolve(string role) => roles.TryGetValue(role, out ActorAddress? address) ? address : AddressOf(role);

    internal async Task<PortReply> RunPortAsync(string port, object request)
    {
        if (!ports.TryGetValue(port, out Func<object, CancellationToken, Task<object?>>? work))
            return new PortReply(port, request, null, $"there is no port '{port}'");
        try
        {
            return new PortReply(port, request, await work(request, stopping.Token), null);
        }
#pragma warning disable CA1031 // A port's failure, whatever it is, becomes a value for the actor that asked.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new PortReply(port, request, null, e.Message);
        }
    }

    internal void Die(string reason) => fatal.TrySetResult(reason);

    private sealed class Listener(Action<object> receive) : IActor
    {
        public void Receive(IActorContext context, object message) => receive(message);
    }
}

/// <summary>A message on its way; null sender: the world, a timer or a port.</summary>
internal sealed record Mail(object Message, ActorAddress? Sender, bool IsSystem = false, ActorCell? Ended = null);
