using Akka.Actor;
using DaNas.Actors.Dispatch;
using DaNas.Domain.Ports;

namespace DaNas.Actors.Trainers;

/// <summary>What runs attempts for a trainer: off the actor's threads, one at a time, never throwing for a fault of the unit.</summary>
public interface IAttemptRunner
{
    /// <summary>Seconds since what runs gave a sign of life.</summary>
    double SilentSeconds { get; }

    Task<UnitOutcome> RunAsync(DispatchProtocol.RunAttempt attempt);
}
