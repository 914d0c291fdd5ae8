using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Serialization;

namespace DaNas.SimulationKit;

/// <summary>
/// Messages between nodes, through Akka's serializers. Each may be lost, doubled or late, so that later ones overtake it; a cut link
/// carries nothing in one or both directions. Death watch crosses nodes too: its messages arrive once, late as others, and where the link
/// is cut when that is over.
/// </summary>
/// <remarks>
/// It stands in the place of Akka.Remote, and is harsher in one way (Akka.Remote keeps the order of a pair of actors and doubles nothing)
/// and blind in others: associations, handshakes, quarantine, gated endpoints, acknowledged system messages, frame limits, TLS, remote
/// deployment and failure detectors' own arithmetic are not simulated: a cut link alone never makes a <see cref="Terminated"/>, a node that
/// dies or stops answering does. What no serializer takes throws in the sender's Tell, where Akka.Remote drops it with a line.
/// </remarks>
public sealed class SimulatedNetwork
{
    private readonly SimulatedWorld world;
    private readonly Dictionary<(string From, string To), TimeSpan> cuts = [];
    private readonly List<(SimulatedNode Watcher, string Path, SimulatedRemoteActorRef Watchee)> watches = [];

    internal SimulatedNetwork(SimulatedWorld world) => this.world = world;

    /// <summary>Probabilities of one message.</summary>
    public double Loss { get; set; }

    public double Duplication { get; set; }

    public double Lateness { get; set; }

    /// <summary>Seconds that a late message may take.</summary>
    public double LatestSeconds { get; set; } = 10;

    /// <summary>Messages between nodes so far.</summary>
    public long Sent { get; private set; }

    public void Cut(string from, string to, TimeSpan duration) => cuts[(from, to)] = world.Elapsed + duration;

    internal void Send(SimulatedNode from, SimulatedRemoteActorRef receiver, object message, IActorRef sender)
    {
        if (!world.IsOwnThread($"a message of {from.Name}"))
            return;
        Sent++;
        if (world.Chance(Loss) || IsCut(from, receiver) || world.Find(receiver.Path.Address.System) is not { } to)
            return;
        ActorSystem system = from.System;
        Serializer serializer = system.Serialization.FindSerializerFor(message);
        string manifest = Serialization.ManifestFor(serializer, message);
        byte[] bytes = Serialization.WithTransport((ExtendedActorSystem)system, () => serializer.ToBinary(message));
        string? senderPath = sender.IsNobody() ? null : Serialization.SerializedActorPath(sender);
        int copies = world.Chance(Duplication) ? 2 : 1;
        for (int i = 0; i < copies; i++)
            world.After(Delay(), Arrive);

        void Arrive()
        {
            if (!to.Listens)
                return;
            if (to.IsPaused)
            {
                to.After(TimeSpan.Zero, Arrive); // It lies in the receiver's socket.
                return;
            }

            ExtendedActorSystem there = (ExtendedActorSystem)to.System;
            IActorRef target = there.Provider.ResolveActorRef(receiver.Path);
            target.Tell(there.Serialization.Deserialize(bytes, serializer.Identifier, manifest), senderPath is null
                ? ActorRefs.NoSender : there.Provider.ResolveActorRef(senderPath));
        }
    }

    internal void SendSystem(SimulatedNode from, SimulatedRemoteActorRef receiver, ISystemMessage message)
    {
        if (!world.IsOwnThread($"a system message of {from.Name}") || world.Find(receiver.Path.Address.System) is not { } to)
            return;
        switch (message)
        {
            case Watch m when m.Watcher is IInternalActorRef watcher:
                string path = Serialization.SerializedActorPath(watcher);
                watches.Add((from, path, receiver));
                Deliver(from, to, receiver, (there, self) => self.SendSystemMessage(new Watch(self, There(there, path))),
                    () => Unanswered(from, path, receiver));
                break;
            case Unwatch m when m.Watcher is IInternalActorRef watcher:
                string former = Serialization.SerializedActorPath(watcher);
                watches.RemoveAll(w => w.Path == former && w.Watchee.Equals(receiver));
                Deliver(from, to, receiver, (there, self) => self.SendSystemMessage(new Unwatch(self, There(there, former))), null);
                break;
            case DeathWatchNotification m:
                string ended = Serialization.SerializedActorPath(m.Actor);
                bool existed = m.ExistenceConfirmed;
                Deliver(from, to, receiver, (there, self) =>
                    self.SendSystemMessage(new DeathWatchNotification(There(there, ended), existed, false)), null);
                break;
        }
    }

    /// <summary>A node died, or does not answer: watchers elsewhere hear of the end of what they watched there.</summary>
    internal void Vanished(SimulatedNode node, TimeSpan after)
    {
        watches.RemoveAll(w => w.Watcher == node);
        foreach ((SimulatedNode watcher, string path, SimulatedRemoteActorRef watchee) in watches
            .Where(w => w.Watchee.Path.Address.System == node.Name).ToList())
        {
            watches.RemoveAll(w => w.Path == path && w.Watchee.Equals(watchee));
            watcher.After(after, () => There(watcher.System, path).SendSystemMessage(new DeathWatchNotification(watchee, false, true)));
        }
    }

    private static IInternalActorRef There(ActorSystem system, string path) =>
        (IInternalActorRef)((ExtendedActorSystem)system).Provider.ResolveActorRef(path);

    /// <summary>
    /// Once, after a while, and after a cut of the link is over; where nobody is there then, <paramref name="unanswered"/>.
    /// </summary>
    private void Deliver(SimulatedNode from, SimulatedNode to, SimulatedRemoteActorRef receiver,
        Action<ActorSystem, IInternalActorRef> deliver, Action? unanswered)
    {
        TimeSpan cut = IsCut(from, receiver) ? cuts[(from.Name, to.Name)] - world.Elapsed : TimeSpan.Zero;
        world.After(cut + Delay(), Arrive);

        void Arrive()
        {
            if (to.Listens && to.IsPaused)
                to.After(TimeSpan.Zero, Arrive);
            else if (to.Listens)
                deliver(to.System, (IInternalActorRef)((ExtendedActorSystem)to.System).Provider.ResolveActorRef(receiver.Path));
            else
                unanswered?.Invoke();
        }
    }

    /// <summary>A watch that reached no process: the failure detector's patience, then its watcher hears of the end.</summary>
    private void Unanswered(SimulatedNode watcher, string path, SimulatedRemoteActorRef watchee) =>
        watcher.After(world.Between(0.5, 6), () =>
    {
        if (watches.RemoveAll(w => w.Watcher == watcher && w.Path == path && w.Watchee.Equals(watchee)) > 0)
            There(watcher.System, path).SendSystemMessage(new DeathWatchNotification(watchee, false, true));
    });

    private bool IsCut(SimulatedNode from, SimulatedRemoteActorRef receiver) =>
        cuts.TryGetValue((from.Name, receiver.Path.Address.System), out TimeSpan until) && world.Elapsed < until;

    private TimeSpan Delay() => world.Chance(Lateness) ? world.Between(0.01, LatestSeconds) : world.Between(0.0002, 0.005);
}
