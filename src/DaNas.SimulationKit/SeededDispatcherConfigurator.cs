using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;

namespace DaNas.SimulationKit;

/// <summary>Makes the one dispatcher of a node.</summary>
public sealed class SeededDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly SeededDispatcher dispatcher;

    public SeededDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => dispatcher = new SeededDispatcher(this, NodeSetup.Of(prerequisites.Settings));

    public override MessageDispatcher Dispatcher() => dispatcher;
}
