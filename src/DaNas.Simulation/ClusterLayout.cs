using Akka.Actor;
using Akka.Configuration;

namespace DaNas.Simulation;

/// <summary>How a cluster is laid out.</summary>
public sealed record ClusterLayout(int Trainers, bool DispatcherApart);
