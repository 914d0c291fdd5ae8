namespace DaNas.Torch.Training;

/// <summary>A loss or an accuracy that is no number: training diverged.</summary>
public sealed class NotFiniteException(string what) : Exception($"{what} is not a finite number");
