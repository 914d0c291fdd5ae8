using DaNas.Domain.Faults;

namespace DaNas.Runtime.Trainers;

/// <summary>A trainer process ended before it had answered.</summary>
public sealed class TrainerLostException(FailureKind kind, string message) : Exception(message)
{
    public FailureKind Kind { get; } = kind;
}
