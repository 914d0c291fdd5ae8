// Shapes: N images, C channels, H height, W width, K classes.
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DaNas.Torch.Networks;

/// <summary>
/// A chain network with some blocks at each layer: the supernet where layers have several, a stand-alone network where each has one.
/// Blocks are held by name (<c>L03.k5e6</c>), so that pruning never renames a parameter.
/// </summary>
public sealed class ChainNetwork : nn.Module
{
    private readonly ConvNorm stem;
    private readonly Dictionary<string, CandidateBlock>[] layers;
    private readonly ConvNorm? head;
    private readonly Classifier classifier;

    public ChainNetwork(SearchSpace space, AliveBlocks alive, NetworkSetup setup)
        : base("network")
    {
        Norm = setup.Norm;
        stem = new ConvNorm(NetworkPlan.StemOf(space), setup);
        register_module("stem", stem);
        layers = new Dictionary<string, CandidateBlock>[space.Layers.Count];
        for (int l = 0; l < layers.Length; l++)
        {
            layers[l] = new(StringComparer.Ordinal);
            foreach (string name in alive.Layers[l])
            {
                CandidateBlock block = new(BlockPlan.Of(space, space.Layers[l], space.Layers[l].Block(name)), setup);
                layers[l][name] = block;
                register_module(PartName(l, name), block);
            }
        }

        if (NetworkPlan.HeadOf(space) is { } last)
        {
            head = new ConvNorm(last, setup);
            register_module("head", head);
        }

        classifier = new Classifier(space.LastChannels, space.Classes, setup);
        register_module("classifier", classifier);
        Parts = [.. named_children().Select(c => Part(c.name, c.module))];
        PartsByName = Parts.ToDictionary(p => p.Name, StringComparer.Ordinal);
    }

    public NormMode Norm { get; }

    public IReadOnlyList<NetworkPart> Parts { get; }

    public IReadOnlyDictionary<string, NetworkPart> PartsByName { get; }

    public static string PartName(int layer, string block) => BlockPlan.NameOf(layer, block);

    /// <summary>The parts that one path uses, stem and head included.</summary>
    public IReadOnlyList<NetworkPart> PartsOf(IReadOnlyList<string> path)
    {
        HashSet<string> used = [.. path.Select((b, l) => PartName(l, b)), "stem", "head", "classifier"];
        return [.. Parts.Where(p => used.Contains(p.Name))];
    }

    /// <summary>Logits [N, K] of one path. Where a gate is given (a scalar a layer), the layer's output is multiplied by it.</summary>
    public Tensor Forward(Tensor x_NCHW, IReadOnlyList<string> path, IReadOnlyList<Tensor>? gates = null)
    {
        Tensor y = stem.call(x_NCHW);
        for (int l = 0; l < layers.Length; l++)
        {
            y = layers[l][path[l]].call(y);
            if (FaultPoints.BlockEntered?.Invoke(l + 1, path[l]) == true)
                y = y.Times(double.NaN);
            if (gates is not null)
                y = y * gates[l];
        }

        return Finish(y);
    }

    /// <summary>Logits [N, K] of the weighted sum of all alive blocks: one weight a block, [layer][block in the alive order].</summary>
    public Tensor ForwardMixed(Tensor x_NCHW, IReadOnlyList<IReadOnlyList<Tensor>> weights) =>
        ForwardMixed(x_NCHW, [.. layers.Select(l => (IReadOnlyList<string>)[.. l.Keys])], weights);

    /// <summary>Logits [N, K] of the weighted sum of some blocks a layer.</summary>
    public Tensor ForwardMixed(Tensor x_NCHW, IReadOnlyList<IReadOnlyList<string>> blocks, IReadOnlyList<IReadOnlyList<Tensor>> weights)
    {
        Tensor y = stem.call(x_NCHW);
        for (int l = 0; l < layers.Length; l++)
        {
            Tensor input = y;
            Tensor? sum = null;
            foreach ((string block, Tensor weight) in blocks[l].Zip(weights[l]))
            {
                Tensor part = layers[l][block].call(input) * weight;
                sum = sum is null ? part : sum.Plus(part);
            }

            y = sum!;
        }

        return Finish(y);
    }

    private Tensor Finish(Tensor y) => classifier.call(head is null ? y : head.call(y));

    private static NetworkPart Part(string name, nn.Module module) => new(
        name,
        [.. module.named_parameters().Select(p => ($"{name}.{p.name}", p.parameter))],
        [.. module.named_buffers().Select(b => ($"{name}.{b.name}", b.buffer))]);

    /// <summary>Global average pool and linear layer: [N, C, H, W] to [N, K].</summary>
    private sealed class Classifier : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter weight_KC;
        private readonly Parameter bias;

        public Classifier(int channels, int classes, NetworkSetup setup)
            : base("classifier")
        {
            weight_KC = setup.Weight([classes, channels], 0.01);
            bias = setup.Constant(classes, 0);
            register_parameter("weight", weight_KC);
            register_parameter("bias", bias);
        }

        public override Tensor forward(Tensor input) => nn.functional.linear(input.mean([2, 3]), weight_KC, bias);
    }
}
