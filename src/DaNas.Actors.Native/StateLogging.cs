using Akka.Actor;
using Akka.Actor.Setup;
using DaNas.Actors.Logging;

namespace DaNas.NativeActors;

/// <summary>Where the actors of a system write their lines.</summary>
public sealed class StateLogSetup(IStateLog log) : Setup
{
    public IStateLog Log => log;
}

/// <summary>One structured line per state change, from inside an actor.</summary>
internal static class StateLogging
{
    public static void Write(this IActorContext context, StateChange change)
    {
        Akka.Util.Option<StateLogSetup> setup = context.System.Settings.Setup.Get<StateLogSetup>();
        if (setup.HasValue)
            setup.Value.Log.Write(new DaNas.Actors.ActorAddress(context.Self.Text()), context.System.Scheduler.Now, change);
    }

    /// <summary>An actor as people read it: <c>/search-7/stage-2</c>, and of another node <c>//HOST:PORT/trainer-0</c>.</summary>
    public static string Text(this IActorRef actor) => $"{(IsHere(actor) ? string.Empty : $"//{actor.Host()}")}/{string.Join('/', actor.Path.Elements.Skip(1))}";

    /// <summary>The node of an actor: HOST:PORT, and the system's name where it has no address.</summary>
    public static string Host(this IActorRef actor) => actor.Path.Address is { Host: { } host } address ? $"{host}:{address.Port}" : actor.Path.Address.System;

    /// <summary>Whether an actor lives in this process.</summary>
    public static bool IsHere(this IActorRef actor) => actor is IActorRefScope { IsLocal: true };
}
