using System.Diagnostics;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>Counts what a unit does: every forward pass, every backward pass, MACs of the forward passes, seconds.</summary>
public sealed class UnitMeter
{
    private readonly long started = Stopwatch.GetTimestamp();
    private long forward;
    private long backward;
    private long macs;

    public UnitCost Cost => new(forward, backward, macs);

    public Timing Timing => new(Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 3));

    public void Forward(long images, long macsPerImage)
    {
        forward += images;
        macs += images * macsPerImage;
    }

    public void Backward(long images) => backward += images;
}
