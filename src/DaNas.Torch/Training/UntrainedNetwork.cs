// Shapes: N images, C channels, H height, W width, K classes.
using System.Runtime.InteropServices;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>
/// Measures a network at its first weights: see <see cref="InitialScores"/>. Synflow in double precision, since products of absolute
/// weights over many layers leave the range of single precision; the covariance of gradients that were taken in single precision, as
/// training takes them.
/// </summary>
public static class UntrainedNetwork
{
    private const double Ridge = 1e-5;

    /// <summary>
    /// Both scores of a path with the weights of a seed, on one batch of training images; null where the device fails at it: nothing
    /// depends on them.
    /// </summary>
    public static InitialScores? Measure(EngineSession session, IReadOnlyList<string> path, long seed, HostBatch batch, UnitMeter meter)
    {
        using DisposeScope scope = NewDisposeScope();
        meter.Forward(InitialScores.Images(batch.Labels.Length), session.MacsOf(path));
        meter.Backward(InitialScores.Images(batch.Labels.Length));
        try
        {
            (Tensor x_NCHW, _) = session.ToTensors(batch);
            double jacobian = JacobianCovariance(session, path, seed,
                x_NCHW.narrow(0, 0, InitialScores.JacobianImages(batch.Labels.Length)).clone());
            return new(Math.Round(LogSynflow(session, path, seed), 6), Math.Round(jacobian, 6));
        }
        catch (ExternalException)
        {
            return null;
        }
    }

    private static double LogSynflow(EngineSession session, IReadOnlyList<string> path, long seed)
    {
        using ChainNetwork network = Build(session, path, seed, new NormMode { Skipped = true }, float64);
        using (no_grad())
        {
            foreach (Parameter p in network.parameters())
                p.abs_();
        }

        network.Forward(ones([1, session.Space.InputChannels, session.Space.Resolution, session.Space.Resolution], dtype: float64,
            device: session.Device), path).sum().backward();
        // Weights of convolutions and linear layers; biases and what batch norm has are of one dimension.
        return Math.Log(network.parameters().Where(p => p.dim() >= 2 && p.grad is not null)
            .Sum(p => (p * p.grad!).abs().sum().item<double>()));
    }

    private static double JacobianCovariance(EngineSession session, IReadOnlyList<string> path, long seed, Tensor x_NCHW)
    {
        using ChainNetwork network = Build(session, path, seed, new NormMode { Momentum = 0 }, float32);
        x_NCHW.requires_grad_(true);
        network.Forward(x_NCHW, path).sum().backward();
        return OfGradients(x_NCHW.grad!.reshape(x_NCHW.shape[0], -1).to(float64));
    }

    /// <summary>The score of input gradients [N, C H W], one row an image. A row without spread is correlated with no other.</summary>
    public static double OfGradients(Tensor gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        long n = gradients.shape[0]; // Of one row libtorch gives a scalar.
        double[] eigenvalues = linalg.eigvalsh(gradients.corrcoef().nan_to_num(0).reshape(n, n)).cpu().data<double>().ToArray();
        return -eigenvalues.Sum(v => Math.Log(v + Ridge) + (1 / (v + Ridge)));
    }

    private static ChainNetwork Build(EngineSession session, IReadOnlyList<string> path, long seed, NormMode norm, ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        return new ChainNetwork(session.Space, EngineSession.OnlyOf(path),
            new NetworkSetup(new SeededRandom(seed), session.Device, norm) { Type = type });
    }
}
