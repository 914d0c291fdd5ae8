using Akka.Actor;
using Akka.Actor.Setup;

namespace DaNas.Actors.Logging;

/// <summary>One structured line per state change, from inside an actor.</summary>
public static class StateLogging
{
    public static void Write(this IActorContext context, StateChange change)
    {
        Akka.Util.Option<StateLogSetup> setup = context.System.Settings.Setup.Get<StateLogSetup>();
        if (setup.HasValue)
            setup.Value.Log.Write(context.Self.Text(), context.System.Scheduler.Now, change);
    }

    /// <summary>The last line of an actor.</summary>
    public static void WriteStopped(this IActorContext context) =>
        context.Write(new StateChange(LogEvent.ActorStopped, "Running", "Stopped"));

    /// <summary>An actor as people read it: <c>/search-7/search/stage-2</c>, and of another node <c>//HOST:PORT/trainer-0</c>.</summary>
    public static string Text(this IActorRef actor)
    {
        Address address = actor.Path.Address;
        string node = IsHere(actor) ? string.Empty : address.Host is { } host ? $"//{host}:{address.Port}" : $"//{address.System}";
        return $"{node}/{string.Join('/', actor.Path.Elements.Skip(1))}";
    }

    /// <summary>
    /// The node of an actor as others reach it, HOST:PORT; the system's name where it has no address. A reference to an actor of this
    /// process does not have it.
    /// </summary>
    public static string Host(this IActorRef actor, ActorSystem here)
    {
        Address address = actor.IsHere() ? ((ExtendedActorSystem)here).Provider.DefaultAddress : actor.Path.Address;
        return address.Host is { } host ? $"{host}:{address.Port}" : address.System;
    }

    /// <summary>Whether an actor lives in this process.</summary>
    public static bool IsHere(this IActorRef actor) => actor is IActorRefScope { IsLocal: true };
}
