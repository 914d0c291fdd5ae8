namespace DaNas.Torch.Data;

/// <summary>Images in a batch, channels, and the order of their values in memory.</summary>
public sealed record BatchShape(int Size, int Channels, bool ChannelsLast);
