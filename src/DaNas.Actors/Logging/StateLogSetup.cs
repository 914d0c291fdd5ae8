using Akka.Actor;
using Akka.Actor.Setup;

namespace DaNas.Actors.Logging;

/// <summary>Where the actors of a system write their lines.</summary>
public sealed class StateLogSetup(IStateLog log) : Setup
{
    public IStateLog Log => log;
}
