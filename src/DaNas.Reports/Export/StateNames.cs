using DaNas.Domain.SearchSpaces;
using DaNas.Torch.Checkpoints;

namespace DaNas.Reports.Export;

/// <summary>The tensors under the names that PyTorch's module gives them: <c>layers.2.expand.conv.weight</c>.</summary>
internal static class StateNames
{
    private static readonly (string Ours, string Theirs)[] OfConv = [("weight", "conv.weight"), ("gamma", "norm.weight"),
        ("beta", "norm.bias"), ("mean", "norm.running_mean"), ("variance", "norm.running_var")];

    private static readonly (string Ours, string Theirs)[] OfSqueeze =
        [("reduce", "reduce.weight"), ("reduce-bias", "reduce.bias"), ("expand", "expand.weight"), ("expand-bias", "expand.bias")];

    /// <summary>A step of a block as an attribute's name.</summary>
    public static string Attribute(PlanStep step) => step.Name.Replace('-', '_');

    public static byte[] Write(TrainedModel model)
    {
        Dictionary<string, HostTensor> tensors = new(StringComparer.Ordinal)
        {
            ["classifier.weight"] = model.Tensor("classifier.weight"),
            ["classifier.bias"] = model.Tensor("classifier.bias")
        };
        Add("stem", "stem", model.Plan.Stem);
        if (model.Plan.Head is { } head)
            Add("head", "head", head);
        for (int l = 0; l < model.Plan.Blocks.Count; l++)
        {
            foreach (PlanStep step in model.Plan.Blocks[l].Steps)
                Add($"{model.Plan.Blocks[l].Name}.{step.Name}", Invariant($"layers.{l}.{Attribute(step)}"), step);
        }

        return Safetensors.Write(tensors, model.Provenance);

        void Add(string ours, string theirs, PlanStep step)
        {
            foreach ((string o, string t) in step is PlanStep.Conv ? OfConv : OfSqueeze)
                tensors[$"{theirs}.{t}"] = model.Tensor($"{ours}.{o}");
        }
    }
}
