namespace DaNas.Domain.SearchSpaces;

/// <summary>The fixed end: 1x1 convolution (0 channels: none), global average pool, linear classifier with bias.</summary>
public sealed record HeadSpec(int Channels, ClassifierCount Count);
