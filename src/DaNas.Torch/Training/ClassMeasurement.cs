// Shapes: N images, C channels, H height, W width.
using DaNas.Domain.Values;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>Accuracy and mean cross-entropy, over all images and class by class.</summary>
public sealed record ClassMeasurement(double Accuracy, double Loss, ValueList<double> ClassAccuracy, ValueList<double> ClassLoss)
{
    private const int Batch = 100;

    /// <summary>[true][predicted]: images.</summary>
    public required ValueList<ValueList<int>> Confusion { get; init; }

    /// <summary>One pass of a path without gradients, with running batch-norm statistics.</summary>
    public static ClassMeasurement Of(EngineSession session, ChainNetwork network, IReadOnlyList<string> path,
        ImageEntry[] entries, UnitMeter meter) =>
        Of(session, network, new ForwardPass(x => network.Forward(x, path), session.MacsOf(path)), entries, meter);

    /// <summary>The same of any pass through the network.</summary>
    public static ClassMeasurement Of(EngineSession session, ChainNetwork network, ForwardPass pass, ImageEntry[] entries, UnitMeter meter)
    {
        int classes = session.Images.Classes;
        int[][] confusion = [.. Enumerable.Range(0, classes).Select(_ => new int[classes])];
        double[] losses = new double[classes];
        double[] counts = new double[classes];
        bool before = network.Norm.UseBatchStatistics;
        network.Norm.UseBatchStatistics = false;
        using IDisposable frozen = no_grad();
        foreach (HostBatch batch in BatchStream.Once(session.Images, session.Images.Readable(entries), session.Shape(Batch)))
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor x_NCHW, Tensor labels) = session.ToTensors(batch);
            Tensor logits = pass.Run(x_NCHW);
            meter.Forward(batch.Labels.Length, pass.Macs);
            long[] chosen = logits.argmax(1).cpu().data<long>().ToArray();
            float[] ce = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.None).cpu().data<float>().ToArray();
            for (int i = 0; i < chosen.Length; i++)
            {
                long label = batch.Labels[i];
                counts[label]++;
                confusion[label][chosen[i]]++;
                losses[label] += ce[i];
            }
        }

        network.Norm.UseBatchStatistics = before;
        if (losses.Any(l => !double.IsFinite(l)))
            throw new NotFiniteException("the held-out loss");
        double[] hits = [.. confusion.Select((row, c) => (double)row[c])];
        return new(
            Math.Round(hits.Sum() / counts.Sum(), 6),
            Math.Round(losses.Sum() / counts.Sum(), 6),
            hits.Select((h, c) => Math.Round(h / Math.Max(1, counts[c]), 6)).ToValueList(),
            losses.Select((l, c) => Math.Round(l / Math.Max(1, counts[c]), 6)).ToValueList())
        {
            Confusion = confusion.Select(row => row.ToValueList()).ToValueList(),
        };
    }
}
