// Shapes: N images, C channels, H height, W width.

namespace DaNas.Torch.Data;

/// <summary>
/// A batch whose images hold parts of others: the labels of the others, and the share of each image's own label in the loss.
/// </summary>
public sealed record Mixed(HostBatch Batch, long[] Others, double Share);
