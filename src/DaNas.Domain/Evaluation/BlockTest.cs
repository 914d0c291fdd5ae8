namespace DaNas.Domain.Evaluation;

/// <summary>
/// What the path losses of a search say of one block: its effect on the loss against the mean of its layer (above 0: worse), the effect's
/// standard error, the number of paths through it, and the probability that a block which is not under the pruning cut would look so bad by
/// chance, anywhere in the space (1 where nothing was tested).
/// </summary>
public sealed record BlockTest(double Effect, double Error, int Paths, double Probability);
