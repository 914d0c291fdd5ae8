// Shapes: N images, C channels, H height, W width, A active classes.
using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Training;

/// <summary>
/// One step of the architecture parameters on a validation batch; the weights are frozen. In a chain with batch norm the gate's gradient
/// nearly vanishes (the next batch norm cancels its scale: docs/method.md has the measurement), so the default is the score function.
/// </summary>
internal sealed class ArchitectureStep(
    EngineSession session,
    WorkUnit.TrainShard unit,
    (ChainNetwork Network, ArchitectureParameters Architecture, ActiveClasses Classes) supernet,
    SeededRandom random,
    (UnitMeter Meter, RunningMean Loss) measured)
{
    private readonly ChainNetwork network = supernet.Network;
    private readonly ArchitectureParameters architecture = supernet.Architecture;
    private readonly ActiveClasses classes = supernet.Classes;
    private readonly UnitMeter meter = measured.Meter;
    private readonly RunningMean meanLoss = measured.Loss;
    private readonly double scale = session.Config.Cost.NormaliseLoss ? 1 / Math.Log(unit.Stage.Classes.Count) : 1;

    /// <summary>The path losses so far, where the evidence is of them.</summary>
    public List<PathLoss> PathLosses { get; init; } = [];

    /// <summary>Takes a step on a batch; steps are counted from the search's begin.</summary>
    public void Take(HostBatch batch, int step)
    {
        using DisposeScope scope = NewDisposeScope();
        network.Norm.Momentum = 0;
        (Tensor x_NCHW, Tensor labels) = session.ToTensors(batch);
        SamplerOptions o = session.Config.Sampler;
        (_, double[][] cost) = architecture.CostTerm(session.Costs, session.Config.Cost,
            ArchitectureBudget.Of(session.Space, session.Config.Cost));
        if (o.Kind == SamplerKind.TwoPath)
        {
            (int[][] pairs, double[][] gates) = TwoPath(x_NCHW, labels);
            architecture.StepPairs(pairs, gates, cost, session.Config.Architecture);
            return;
        }

        double[][] gradients = o.Kind == SamplerKind.Soft ? Soft(x_NCHW, labels)
            : o.Gradient == PathGradient.Gate ? Gated(x_NCHW, labels) : LeaveOneOut(x_NCHW, labels, step);
        double[][] throughCost = architecture.ThroughSoftmax(cost);
        architecture.Adam([.. gradients.Select((g, l) => g.Zip(throughCost[l], (a, b) => a + b).ToArray())], session.Config.Architecture);
    }

    /// <summary>Forward passes only: several paths from p on the same batch.</summary>
    private double[][] LeaveOneOut(Tensor x_NCHW, Tensor labels, int step)
    {
        using IDisposable frozen = no_grad();
        List<int[]> paths = [];
        List<double> losses = [];
        for (int k = 0; k < session.Config.Sampler.Paths; k++)
        {
            using DisposeScope scope = NewDisposeScope();
            int[] path = architecture.GumbelPath(random, 1).Path;
            string[] names = Names(path);
            Tensor ce = Loss(network.Forward(x_NCHW, names), labels, session.MacsOf(names));
            double loss = ce.item<float>();
            paths.Add(path);
            losses.Add(double.IsFinite(loss) ? loss : throw new NotFiniteException("the architecture loss"));
        }

        PathLosses.AddRange(
            paths.Zip(losses, (p, loss) => new PathLoss(step, loss, [.. Names(p).Select((b, l) => session.Space.IndexOf(l, b))])));
        return architecture.LeaveOneOutGradients(paths, losses);
    }

    /// <summary>One path, straight-through: gate (1 + (y - stop(y))) on every layer's output.</summary>
    private double[][] Gated(Tensor x_NCHW, Tensor labels)
    {
        (int[] path, double[][] y) = architecture.GumbelPath(random, unit.Schedule.Temperature);
        string[] names = Names(path);
        Tensor[] gates = [.. path.Select(_ => Gate(1))];
        Backward(network.PartsOf(names), () => Loss(network.Forward(x_NCHW, names, gates), labels, session.MacsOf(names)), labels.shape[0]);
        return ArchitectureParameters.GateGradients(path, y, [.. gates.Select(GradientOf)], unit.Schedule.Temperature);
    }

    /// <summary>
    /// Two blocks a layer, one with weight 1 and one with 0: the loss is one path's, and the gradient in the second weight tells what the
    /// other block would change.
    /// </summary>
    private (int[][] Pairs, double[][] Gates) TwoPath(Tensor x_NCHW, Tensor labels)
    {
        int[][] pairs = architecture.Pairs(random);
        string[][] names = [.. pairs.Select((pair, l) => pair.Select(j => unit.Alive.Layers[l][j]).ToArray())];
        Tensor[][] gates = [.. pairs.Select(pair => pair.Select((_, i) => Gate(i == 0 ? 1 : 0)).ToArray())];
        NetworkPart[] used = [.. network.PartsOf([.. names.Select(n => n[0])]).Union(network.PartsOf([.. names.Select(n => n[^1])]))];
        long macs = session.Costs.Fixed.Macs + names.Select((n, l) => n.Sum(b => session.Costs.Of(l, b).Macs)).Sum();
        Backward(used, () => Loss(network.ForwardMixed(x_NCHW, names, gates), labels, macs), labels.shape[0]);
        return (pairs, [.. gates.Select(layer => layer.Select(GradientOf).ToArray())]);
    }

    /// <summary>The weighted sum of all alive blocks.</summary>
    private double[][] Soft(Tensor x_NCHW, Tensor labels)
    {
        Tensor[][] gates = [.. unit.Alive.Layers.Select((_, l) => architecture.Probabilities(l).Select(Gate).ToArray())];
        Backward(network.Parts, () => Loss(network.ForwardMixed(x_NCHW, gates), labels,
            session.Costs.MacsOfAll(unit.Alive)), labels.shape[0]);
        return architecture.ThroughSoftmax([.. gates.Select(layer => layer.Select(GradientOf).ToArray())]);
    }

    private void Backward(IReadOnlyList<NetworkPart> used, Func<Tensor> loss, long images)
    {
        Freeze(used, true);
        loss().backward();
        meter.Backward(images);
        Freeze(used, false);
    }

    private Tensor Loss(Tensor logits, Tensor labels, long macs)
    {
        (Tensor active_NA, Tensor target) = classes.Select(logits, labels);
        Tensor ce = nn.functional.cross_entropy(active_NA, target).Times(scale);
        meter.Forward(target.shape[0], macs);
        meanLoss.Add(ce, target.shape[0]);
        return ce;
    }

    private Tensor Gate(double value) => tensor([(float)value], [1], device: session.Device).requires_grad_(true);

    private static double GradientOf(Tensor gate) => gate.grad is { } g ? g.item<float>() : 0;

    private static void Freeze(IReadOnlyList<NetworkPart> parts, bool frozen)
    {
        foreach (NetworkPart part in parts)
        {
            foreach ((_, Parameter parameter) in part.Parameters)
                parameter.requires_grad = !frozen;
        }
    }

    private string[] Names(int[] path) => [.. path.Select((j, l) => unit.Alive.Layers[l][j])];
}
