// Shapes: N images, C channels, H height, W width, K classes.
using DaNas.Domain.SearchSpaces;
using DaNas.Runtime.Configuration;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Tests;

/// <summary>
/// Two weight steps of one path through a small supernet, against PyTorch 1.13 (float32, one thread). Parameter s in ordinal order of the
/// used path's names holds ((7 j + 3 s) mod 11 - 5) / 10 at index j, a gamma 1 plus a fifth of that; image value i is ((5 i mod 13) - 6) /
/// 6. Momentum 0.9, rate 0.2, decay 0.1 on weights of two dimensions and more, label smoothing 0.1.
/// </summary>
public sealed class ReferenceStepTests : IDisposable
{
    private const float Untouched = 0.7f;
    private static readonly string[] Path = ["k3e2"];

    private readonly SearchSpace space;
    private readonly ChainNetwork network;
    private readonly Optimiser optimiser;
    private readonly List<double> losses = [];
    private float[] logits = [];

    public ReferenceStepTests()
    {
        TorchBinding.Prepare(1);
        space = ConfigLoader.Load(
            "drawn-12",
            ["space.resolution=4", "space.stem.channels=2", "space.layers=[{ channels = 2, stride = 1 }]", "space.candidates.kernels=[3]",
                "space.candidates.expansions=[1, 2]", "space.head.channels=0", "difficulty.block=k3e1"],
            null).SpaceFor(3);
        using DisposeScope scope = NewDisposeScope();
        network = new ChainNetwork(space, space.AllBlocks, new NetworkSetup(null, CPU, new NormMode()));
        optimiser = new Optimiser(network, CPU, 0.1, new Sgd(0.9));
        Fill();
        Step();
        Step();
    }

    public void Dispose()
    {
        optimiser.Dispose();
        network.Dispose();
    }

    [Fact]
    public void Logits_and_losses_are_PyTorchs()
    {
        Near(logits, 0.19977574, -0.69069755, 0.30648041, 0.04880063, -0.43005690, 0.50927794);
        Near([.. losses.Select(l => (float)l)], 0.96813565, 0.85114211);
    }

    [Fact]
    public void Running_statistics_of_batch_norm_are_PyTorchs()
    {
        Near(Buffer("stem.mean"), 0.04457799, 0.00622821);
        Near(Buffer("stem.variance"), 0.91870570, 0.88263077);
        Near(Buffer("L01-k3e2.project.mean"), -0.01412475, -0.00946043);
        Near(Buffer("L01-k3e2.project.variance"), 0.83232623, 0.82987887);
    }

    [Fact]
    public void Weights_and_momenta_after_two_steps_are_PyTorchs()
    {
        Near(Weight("classifier.weight"), 0.33880693, -0.04963423, -0.50387889, 0.15472223, -0.21188805, 0.46035200);
        Near(Weight("L01-k3e2.project.weight"), -0.24874672, 0.45987633, 0.00307268, -0.31638002, 0.25504446, -0.20129228,
            -0.48213696, 0.13979165);
        Near([.. Weight("stem.weight").Take(4)], 0.06055248, -0.27364051, 0.41170287, 0.02205402);
        Near(Momentum("classifier.weight"), -0.14903896, -0.12338600, 0.01161173, 0.14758819, 0.06222720, 0.08859779);
        Near(Momentum("L01-k3e2.project.weight"), -0.16766813, -0.18049717, -0.03532355, -0.26316673, 0.15508994, 0.33998039,
            -0.06229922, 0.19485876);
    }

    /// <summary>
    /// A bias that decayed would end elsewhere: with decay the first bias of the classifier would have a larger momentum.
    /// </summary>
    [Fact]
    public void Weight_decay_spares_tensors_of_one_dimension()
    {
        Near(Weight("classifier.bias"), 0.08138875, -0.48763096, 0.30624223);
        Near(Momentum("classifier.bias"), -0.26072204, 0.28369081, -0.02296884);
        Near(Weight("stem.gamma"), 0.95892096, 1.10015333);
        Near(Momentum("stem.gamma"), -0.02332831, 0.01043269);
        Near(Weight("L01-k3e2.depthwise.beta"), -0.50570071, 0.18245605, -0.20208167, 0.53216386);
    }

    [Fact]
    public void A_block_outside_the_path_keeps_weights_statistics_and_momenta_and_has_no_gradient()
    {
        NetworkPart unused = network.PartsByName["L01-k3e1"];
        unused.Parameters.All(p => p.Parameter.grad is null).ShouldBeTrue();
        unused.Parameters.Where(p => !p.Name.EndsWith("gamma", StringComparison.Ordinal)).SelectMany(p => Values(p.Parameter))
            .ShouldAllBe(v => v == 0f);
        unused.Buffers.Where(b => b.Name.EndsWith("variance", StringComparison.Ordinal)).SelectMany(b => Values(b.Buffer))
            .ShouldAllBe(v => v == 1f);
        optimiser.Buffers.Where(b => b.Name.StartsWith("L01-k3e1", StringComparison.Ordinal)).SelectMany(b => Values(b.Buffer))
            .ShouldAllBe(v => v == Untouched);
    }

    [Fact]
    public void Gradients_of_the_path_are_null_again_after_a_step() =>
        network.Parts.SelectMany(p => p.Parameters).All(p => p.Parameter.grad is null).ShouldBeTrue();

    private void Fill()
    {
        using IDisposable frozen = no_grad();
        int s = 0;
        foreach ((string name, Tensor parameter) in network.PartsOf(Path).SelectMany(p => p.Parameters)
            .OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            long count = parameter.shape.Aggregate(1L, (a, b) => a * b);
            float[] values = [.. Enumerable.Range(0, (int)count).Select(j => (float)(((((7 * j) + (3 * s)) % 11) - 5) / 10.0))];
            parameter.copy_(tensor(name.EndsWith("gamma", StringComparison.Ordinal)
                ? [.. values.Select(v => 1 + (v / 5))] : values, parameter.shape));
            s++;
        }

        foreach ((string name, Tensor buffer) in optimiser.Buffers.Where(b => b.Name.StartsWith("L01-k3e1", StringComparison.Ordinal)))
            buffer.copy_(ones(buffer.shape) * Untouched);
    }

    private void Step()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x_NCHW = tensor([.. Enumerable.Range(0, 2 * 3 * 4 * 4).Select(i => (float)((((5 * i) % 13) - 6) / 6.0))], [2, 3, 4, 4]);
        Tensor logits_NK = network.Forward(x_NCHW, Path);
        Tensor loss = nn.functional.cross_entropy(logits_NK, tensor([0L, 2L]), label_smoothing: 0.1);
        loss.backward();
        logits = Values(logits_NK);
        losses.Add(loss.item<float>());
        optimiser.Step(network.PartsOf(Path), 0.2);
    }

    private float[] Weight(string name) => Values(network.Parts.SelectMany(p => p.Parameters).Single(p => p.Name == name).Parameter);

    private float[] Buffer(string name) => Values(network.Parts.SelectMany(p => p.Buffers).Single(b => b.Name == name).Buffer);

    private float[] Momentum(string name) => Values(optimiser.Buffers.Single(b => b.Name == name).Buffer);

    private static float[] Values(Tensor t)
    {
        using Tensor plain = t.detach();
        return plain.data<float>().ToArray();
    }

    private static void Near(float[] actual, params double[] expected)
    {
        actual.Length.ShouldBe(expected.Length);
        for (int i = 0; i < expected.Length; i++)
            ((double)actual[i]).ShouldBe(expected[i], 2e-6);
    }
}
