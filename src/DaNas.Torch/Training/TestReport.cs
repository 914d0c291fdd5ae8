// Shapes: N pictures, C channels, H height, W width, K classes.
using DaNas.Ports;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>A model on the whole test split: top-1, top-5 (NaN under six classes), accuracy of every class, and the confusion matrix [true][predicted].</summary>
public sealed record TestReport(int Images, double Top1, double Top5, IReadOnlyList<double> PerClass, IReadOnlyList<IReadOnlyList<int>> Confusion)
{
    private const int Batch = 100;

    /// <summary>Without gradients and with the model's running statistics.</summary>
    public static TestReport Of(EngineSession session, byte[] weights, IReadOnlyList<string> path)
    {
        using ChainNetwork network = session.Build(EngineSession.OnlyOf(path), null);
        SupernetState.Restore(weights, network, null, null);
        network.Norm.UseBatchStatistics = false;
        int classes = session.Images.Classes;
        ImageEntry[] entries = session.Images.Readable(ImageSet.Slice(session.Images.Splits.Test, Enumerable.Range(0, classes), 1));
        if (entries.Length == 0)
            throw new DataException("the data set has no test pictures to measure on; set data.test-fraction");
        int[][] confusion = [.. Enumerable.Range(0, classes).Select(_ => new int[classes])];
        int among5 = 0;
        using IDisposable frozen = no_grad();
        foreach (HostBatch batch in BatchStream.Once(session.Images, entries, session.Shape(Batch)))
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor x_NCHW, _) = session.ToTensors(batch);
            float[] logits_NK = network.Forward(x_NCHW, path).cpu().data<float>().ToArray();
            for (int i = 0; i < batch.Labels.Length; i++)
            {
                ReadOnlySpan<float> own = logits_NK.AsSpan(i * classes, classes);
                int label = (int)batch.Labels[i];
                int better = 0, best = 0;
                for (int c = 0; c < classes; c++)
                {
                    better += own[c] > own[label] ? 1 : 0;
                    best = own[c] > own[best] ? c : best;
                }

                confusion[label][best]++;
                among5 += better < 5 ? 1 : 0;
            }
        }

        double hits = confusion.Select((row, c) => row[c]).Sum();
        return new(
            entries.Length,
            Math.Round(hits / entries.Length, 6),
            classes > 5 ? Math.Round(among5 / (double)entries.Length, 6) : double.NaN,
            [.. confusion.Select((row, c) => Math.Round(row[c] / Math.Max(1.0, row.Sum()), 6))],
            confusion);
    }
}
