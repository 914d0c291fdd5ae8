namespace DaNas.Domain.SearchSpaces;

/// <summary>The fixed convolution in front: 3x3, batch norm, activation.</summary>
public sealed record StemSpec(int Channels, int Kernel, int Stride);
