using Akka.Actor;
using DaNas.Actors.Logging;

namespace DaNas.Actors.Akka;

/// <summary>The moves that an actor has.</summary>
internal sealed partial class Shell
{
    public new ActorAddress Self { get; }

    public ActorAddress? Parent { get; }

    public new ActorAddress? Sender { get; private set; }

    public DateTimeOffset Now => Context.System.Scheduler.Now;

    public long LastSequenceNumber { get; private set; }

    public void Tell(ActorAddress receiver, object message) => host.Ref(receiver).Tell(AkkaHost.Sent(message), base.Self);

    public ActorAddress Spawn(string name, Func<IActor> create) => host.Address(Context.ActorOf(host.PropsFor(create), name));

    public bool HasChild(string name) => !Context.Child(name).IsNobody();

    public void Watch(ActorAddress actor)
    {
        // Who spoke is known with his incarnation; an address alone is not, on another node.
        IActorRef other = actor == Sender && actor == host.AddressOf(base.Sender) ? base.Sender : host.Ref(actor);
        life.Watching.Add(other);
        Context.Watch(other);
    }

    public void StartTimer(string key, TimeSpan delay, object message)
    {
        timers[key] = ++generation;
        Timers.StartSingleTimer(key, new Fired(key, generation, message), delay);
    }

    public void CancelTimer(string key)
    {
        timers.Remove(key);
        Timers.Cancel(key);
    }

    public void Persist(IReadOnlyList<object> events, Action stored)
    {
        if (actor is not IPersistentActor)
            throw new InvalidOperationException($"{Self} is not persistent");
        if (pending is not null)
            throw new InvalidOperationException($"{Self} persists twice in one turn: persist once, with all events");
        pending = (events, stored);
    }

    public void Run(string port, object request)
    {
        IActorRef self = base.Self;
        host.RunPortAsync(port, request).PipeTo(self, self, r => new FromPort(r));
    }

    public ActorAddress Resolve(string role) => host.Resolve(role);

    public void Stop() => stopping = true;

    public void StopChild(string name) => Context.Stop(Context.Child(name));

    public void Log(StateChange change) => host.Log.Write(Self, Now, change);
}
