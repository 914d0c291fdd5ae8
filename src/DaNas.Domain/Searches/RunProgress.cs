using DaNas.Domain.Architectures;

namespace DaNas.Domain.Searches;

public sealed record RunProgress(string Name, Architecture Architecture, UnitChain Chain, RetrainedModel? Result)
{
    public int SegmentsDone => Chain.Count;

    /// <summary>Which of the seeds it is trained from, counted from 0.</summary>
    public int Repeat { get; init; }
}
