namespace DaNas.Domain.Work;

/// <summary>One block of one layer.</summary>
public sealed record BlockRequest(int Layer, string Block);
