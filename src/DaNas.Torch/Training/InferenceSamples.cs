// Shapes: N images, C channels, H height, W width, K classes.
using DaNas.Domain.Ports;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>
/// Images as a network takes them [N, C, H, W], their classes, and the logits [N, K] that it answers; for others to compare with.
/// </summary>
public sealed record InferenceSamples(HostTensor Pixels_NCHW, IReadOnlyList<long> Labels, HostTensor Logits_NK)
{
    /// <summary>
    /// Runs a trained network over the first test images of each class, without gradients and with its running statistics.
    /// </summary>
    public static InferenceSamples Of(EngineSession session, byte[] weights, IReadOnlyList<string> path, int count)
    {
        using ChainNetwork network = session.Build(EngineSession.OnlyOf(path), null);
        SupernetState.Restore(weights, network, null, null);
        network.Norm.UseBatchStatistics = false;
        int classes = session.Images.Classes;
        IReadOnlyList<ImageEntry[]> test = session.Images.Splits.Test;
        ImageEntry[] entries = [.. Enumerable.Range(0, test.Max(t => t.Length))
            .SelectMany(i => Enumerable.Range(0, classes).Where(c => i < test[c].Length).Select(c => test[c][i])).Take(count)];
        if (entries.Length == 0)
            throw new DataException("the data set has no test images for the comparison; set data.test-fraction, or " +
                "export without --samples");
        using IDisposable frozen = no_grad();
        using DisposeScope scope = NewDisposeScope();
        HostBatch batch = BatchStream.Once(session.Images, entries, session.Shape(entries.Length)).First();
        (Tensor x_NCHW, _) = session.ToTensors(batch);
        float[] logits = network.Forward(x_NCHW, path).cpu().data<float>().ToArray();
        float[] pixels = x_NCHW.contiguous().cpu().data<float>().ToArray();
        return new(HostTensor.Of(pixels, entries.Length, session.Space.InputChannels, session.Space.Resolution, session.Space.Resolution),
            batch.Labels, HostTensor.Of(logits, entries.Length, classes));
    }
}
