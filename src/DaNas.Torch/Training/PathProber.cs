// Shapes: N images, C channels, H height, W width, A active classes.
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>
/// Tries one path: a few weight steps from the supernet's weights with the search's own recipe. It passes when it ends and its loss stays a
/// number; the weights are thrown away. An abort of native code ends the process, which says the same of the path.
/// </summary>
public sealed class PathProber : IDisposable
{
    private readonly EngineSession session;
    private readonly WorkUnit.ProbePath unit;
    private readonly ChainNetwork network;
    private readonly Optimiser optimiser;
    private readonly ActiveClasses classes;
    private readonly UnitMeter meter = new();
    private readonly RunningMean loss = new();

    public PathProber(EngineSession session, WorkUnit.ProbePath unit)
    {
        this.session = session;
        this.unit = unit;
        network = session.Build(unit.Alive, unit.Input is null ? SupernetTrainer.InitialSeed(session.Config) : null);
        optimiser = new Optimiser(network, session.Device, session.Config.Weights.WeightDecay, new Sgd(session.Config.Weights.Momentum));
        if (unit.Input is { } input)
            SupernetState.Restore(session.Blobs.Get(input), network, optimiser, null);
        classes = new ActiveClasses(unit.Classes, session.Images.Classes, session.Device);
    }

    public UnitResult.PathPassed Run(CancellationToken cancellation)
    {
        ImageEntry[] entries = ImageSet.Slice(session.Images.Splits.Weights, unit.Classes, 1);
        BatchStream batches = new(session.Images, entries, SeededRandom.Derive(unit.Seed, "order"),
            session.Shape(session.Config.Weights.Batch), session.Config.Data.Augment);
        network.Norm.Momentum = 0.1;
        for (int i = 0; i < session.Config.Faults.ProbeSteps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Step(batches.At(i));
        }

        return new(unit.Id, meter.Cost, meter.Timing, Math.Round(loss.Read($"the loss of path {string.Join('.', unit.Path)}"), 6));
    }

    public void Dispose()
    {
        loss.Dispose();
        classes.Dispose();
        optimiser.Dispose();
        network.Dispose();
    }

    private void Step(HostBatch batch)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor x_NCHW, Tensor labels) = session.ToTensors(batch);
        (Tensor active_NA, Tensor target) = classes.Select(network.Forward(x_NCHW, unit.Path), labels);
        Tensor ce = nn.functional.cross_entropy(active_NA, target, label_smoothing: session.Config.Weights.LabelSmoothing);
        meter.Forward(batch.Labels.Length, session.MacsOf(unit.Path));
        ce.backward();
        meter.Backward(batch.Labels.Length);
        loss.Add(ce, batch.Labels.Length);
        optimiser.Step(network.PartsOf(unit.Path), session.Config.Weights.LearningRate);
    }
}
