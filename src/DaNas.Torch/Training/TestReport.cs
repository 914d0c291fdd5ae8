// Shapes: N images, C channels, H height, W width, K classes.
using DaNas.Domain.Ports;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>
/// A model on the whole test split: top-1, top-5 (NaN under six classes), accuracy of every class, and the confusion matrix
/// [true][predicted].
/// </summary>
public sealed record TestReport(int Images, double Top1, double Top5, IReadOnlyList<double> PerClass,
    IReadOnlyList<IReadOnlyList<int>> Confusion)
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
            throw new DataException("the data set has no test images; set data.test-fraction");
        return From(classes, Answers(session, network, path, entries));
    }

    /// <summary>Counts answers; a class that ties with the true one is not before it.</summary>
    public static TestReport From(int classes, IEnumerable<(int Label, float[] Logits)> answers)
    {
        int[][] confusion = [.. Enumerable.Range(0, classes).Select(_ => new int[classes])];
        int among5 = 0;
        foreach ((int label, float[] logits) in answers)
        {
            int better = 0, best = 0;
            for (int c = 0; c < classes; c++)
            {
                better += logits[c] > logits[label] ? 1 : 0;
                best = logits[c] > logits[best] ? c : best;
            }

            confusion[label][best]++;
            among5 += better < 5 ? 1 : 0;
        }

        int images = confusion.Sum(row => row.Sum());
        double hits = confusion.Select((row, c) => row[c]).Sum();
        return new(
            images,
            Math.Round(hits / images, 6),
            classes > 5 ? Math.Round(among5 / (double)images, 6) : double.NaN,
            [.. confusion.Select((row, c) => Math.Round(row[c] / Math.Max(1.0, row.Sum()), 6))],
            confusion);
    }

    private static IEnumerable<(int Label, float[] Logits)> Answers(
        EngineSession session, ChainNetwork network, IReadOnlyList<string> path, ImageEntry[] entries)
    {
        int classes = session.Images.Classes;
        foreach (HostBatch batch in BatchStream.Once(session.Images, entries, session.Shape(Batch)))
        {
            float[] logits_NK = Logits(session, network, path, batch);
            for (int i = 0; i < batch.Labels.Length; i++)
                yield return ((int)batch.Labels[i], logits_NK[(i * classes)..((i + 1) * classes)]);
        }
    }

    private static float[] Logits(EngineSession session, ChainNetwork network, IReadOnlyList<string> path, HostBatch batch)
    {
        using IDisposable frozen = no_grad();
        using DisposeScope scope = NewDisposeScope();
        (Tensor x_NCHW, _) = session.ToTensors(batch);
        return network.Forward(x_NCHW, path).cpu().data<float>().ToArray();
    }
}
