namespace DaNas.Torch.Data;

/// <summary>
/// A batch on the host: pixels in the order that the layout wants, and labels. Values lie about 0: (v / 255 - 0.5) / 0.25.
/// </summary>
public sealed record HostBatch(float[] Pixels, long[] Labels);
