using Akka.Actor;
using DaNas.Actors.Dispatch;

namespace DaNas.Actors.Trainers;

/// <summary>What a trainer must not forget when its actor is made anew in the same process: what it runs, and what it has told.</summary>
public sealed class TrainerMemory
{
    internal Dictionary<string, long> HighestEpochs { get; } = new(StringComparer.Ordinal);

    internal Queue<DispatchProtocol.AttemptEnded> Recent { get; } = new();

    internal List<DispatchProtocol.AttemptEnded> Unnoted { get; } = [];

    internal DispatchProtocol.RunAttempt? Running { get; set; }
}
