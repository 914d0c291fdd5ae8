using Akka.Actor;

namespace DaNas.Actors.Dispatch;

/// <summary>
/// Bounds of the dispatcher: counted failures of a unit, and seconds of a trainer's silence before its unit goes to another.
/// </summary>
public sealed record DispatcherSettings(int Attempts, double SilenceSeconds)
{
    /// <summary>In a cluster: a host gets work only when the leader's reception has said what it may do.</summary>
    public bool AwaitsDuties { get; init; }

    /// <summary>
    /// A trainer of another node that has not told for longer that it is there is lost; it tells so every 250 ms. By the dispatcher's
    /// ticks, so up to one second more.
    /// </summary>
    public int TrainerDeadlineSeconds { get; init; } = 3;
}
