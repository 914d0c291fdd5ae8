// Shapes: N images, C channels, H height, W width.
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch;

/// <summary>What is measured: images a pass, warm-up passes, timed passes, where, and the layout.</summary>
public sealed record LatencySetup(int Batch, int WarmUp, int Repeats, string Device, bool ChannelsLast);
