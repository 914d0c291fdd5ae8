using DaNas.Domain.Faults;

namespace DaNas.Cli.Trainers;

/// <summary>A trainer process ended before it had answered.</summary>
internal sealed class TrainerLostException(FailureKind kind, string message) : Exception(message)
{
    public FailureKind Kind { get; } = kind;
}
