namespace DaNas.Evidence;

/// <summary>
/// Work of one phase: images forwarded, images with a backward pass, MACs forwarded, candidate-forwards (images times the candidate
/// blocks that each of them went through), seconds of the units' own clocks.
/// </summary>
public sealed record PhaseWork(long ForwardImages, long BackwardImages, long ForwardMacs, long CandidateForwards, double Seconds)
{
    public static PhaseWork None { get; } = new(0, 0, 0, 0, 0);

    public static PhaseWork operator +(PhaseWork a, PhaseWork b) => new(
        a.ForwardImages + b.ForwardImages, a.BackwardImages + b.BackwardImages, a.ForwardMacs + b.ForwardMacs,
            a.CandidateForwards + b.CandidateForwards, Math.Round(a.Seconds + b.Seconds, 3));

    public static PhaseWork Add(PhaseWork left, PhaseWork right) => left + right;
}
