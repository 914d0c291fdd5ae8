using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using DaNas.Torch.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Tests;

/// <summary>Predictors of untrained networks, held against what their definitions give in closed form.</summary>
public sealed class UntrainedNetworkTests
{
    /// <summary>
    /// Synaptic flow is conserved (Tanaka et al. 2020, theorem 1): without residual connections, batch norm and biases, the sum of weight x
    /// gradient over each layer's weights is the network's output R, so synflow is R times the number of layers with weights. R is worked
    /// out here by plain sums over absolute weights.
    /// </summary>
    [Fact]
    public void Synflow_is_the_output_times_the_layers_where_nothing_is_residual()
    {
        // Layers 3, 5 and 6 of the space change the width or the stride; a space of those alone has no residual block.
        using EngineFixture f = new("space.layers=[{ channels = 12, stride = 1 }, { channels = 20, stride = 2 }]",
            "space.candidates.kernels=[1, 3]", "space.candidates.expansions=[3]", "difficulty.block=k1e3", "space.stem.kernel=1");
        string[] path = ["k1e3", "k1e3"];
        using ChainNetwork network = new(f.Session.Space, EngineSession.OnlyOf(path),
            new NetworkSetup(new SeededRandom(5), CPU, new NormMode()));
        // Every kernel is 1 x 1, so one pixel tells the output: the input is 1 everywhere, and so is every channel's value over the image.
        double[] values = [1, 1, 1];
        int layers = 0;
        foreach ((string _, TorchSharp.Modules.Parameter parameter) in network.Parts.SelectMany(p => p.Parameters))
        {
            if (parameter.dim() < 2)
                continue;
            double[] weights = [.. parameter.abs().to(float64).data<double>()];
            int outputs = (int)parameter.shape[0], inputs = (int)parameter.shape[1];
            values = inputs == 1 && outputs == values.Length
                ? [.. values.Select((v, i) => v * weights[i])]
                : [.. Enumerable.Range(0, outputs).Select(o => Enumerable.Range(0, inputs)
                    .Sum(i => weights[(o * inputs) + i] * values[i]))];
            layers++;
        }

        UnitMeter meter = new();
        InitialScores scores = UntrainedNetwork.Measure(f.Session, path, 5, Batch(f, 8), meter).ShouldNotBeNull();
        scores.LogSynflow.ShouldBe(Math.Log(layers * values.Sum()), 1e-6);
        meter.Cost.ForwardImages.ShouldBe(9);
        meter.Cost.BackwardImages.ShouldBe(9);
    }

    /// <summary>
    /// Equal rows: correlation 1 everywhere, eigenvalues n and 0. Rows without common part, about their means: the unit matrix, eigenvalues
    /// 1.
    /// </summary>
    [Fact]
    public void Jacobian_covariance_is_that_of_known_gradients()
    {
        const double ridge = 1e-5;
        double same = UntrainedNetwork.OfGradients(tensor(new double[] { 1, 2, 4, 1, 2, 4, 1, 2, 4 }, [3, 3]));
        same.ShouldBe(-(Math.Log(3 + ridge) + (1 / (3 + ridge)) + (2 * (Math.Log(ridge) + (1 / ridge)))), 1);
        double apart = UntrainedNetwork.OfGradients(tensor(new double[] { 1, -1, 0, 0, 0, 0, 1, -1 }, [2, 4]));
        apart.ShouldBe(-2 * (Math.Log(1 + ridge) + (1 / (1 + ridge))), 1e-9);
        UntrainedNetwork.OfGradients(tensor(new double[] { 1, 2, 4 }, [1, 3])).ShouldBe(-(Math.Log(1 + ridge) + (1 / (1 + ridge))), 1e-9);
        double.IsFinite(UntrainedNetwork.OfGradients(zeros([3, 4], dtype: float64))).ShouldBeTrue();
    }

    /// <summary>
    /// The first segment of a retraining carries the scores, the same every time; finals and later segments have none; weights and running
    /// statistics are not touched.
    /// </summary>
    [Fact]
    public void The_first_segment_of_a_retraining_tells_them()
    {
        using EngineFixture f = new();
        Architecture a = new("cpu-base", f.Alive.Layers.Select(l => l[0]).ToValueList());
        UnitResult.SegmentRetrained first = f.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 1, "winner", a, 0, 2, 8, null));
        InitialScores scores = first.Initial.ShouldNotBeNull();
        (double.IsFinite(scores.LogSynflow) && double.IsFinite(scores.JacobianCovariance)).ShouldBeTrue();
        f.Run<UnitResult.SegmentRetrained>(new WorkUnit.RetrainSegment(
            "retrain/control-1/0", 1, "control-1", a, 0, 2, 8, null)).Initial.ShouldBe(scores);
        f.Run<UnitResult.SegmentRetrained>(new WorkUnit.RetrainSegment(
            "retrain/winner/1", 1, "winner", a, 1, 2, 8, first.Output)).Initial.ShouldBeNull();
        UnitResult.SegmentRetrained final = f.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 1, "final-1-1", a, 0, 2, 8, null));
        final.Initial.ShouldBeNull();
        final.Output.ShouldBe(first.Output);
        first.Cost.ForwardImages.ShouldBe((4 * 16) + InitialScores.Images(16));
        first.Cost.BackwardImages.ShouldBe((4 * 16) + InitialScores.Images(16));
    }

    private static HostBatch Batch(EngineFixture f, int size) =>
        new BatchStream(f.Session.Images, ImageSet.Slice(f.Session.Images.Splits.Weights, Enumerable.Range(0, f.Session.Images.Classes), 1),
            1, f.Session.Shape(size), null).At(0);
}
