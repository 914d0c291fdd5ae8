using System.Text.Json;
using System.Text.RegularExpressions;
using DaNas.Domain.SearchSpaces;

namespace DaNas.Reports.Export;

/// <summary>
/// A model as source that people read: a PyTorch module, and a class on TorchSharp's names. Both load the safetensors file beside them.
/// </summary>
public static partial class SourceWriter
{
    /// <summary>The weights for both, under PyTorch's names.</summary>
    public static byte[] Weights(TrainedModel model) => StateNames.Write(model);

    public static string Python(TrainedModel model)
    {
        string layers = string.Join('\n', model.Plan.Blocks.Select(PythonBlock));
        return Fill("model.py", model).Replace("@STEM@", PythonConv(model.Plan.Stem), StringComparison.Ordinal)
            .Replace("@LAYERS@", layers, StringComparison.Ordinal)
            .Replace("@HEAD@", model.Plan.Head is { } head ? PythonConv(head) : "nn.Identity()", StringComparison.Ordinal)
            .Replace("@ORIGIN@", PythonOf(JsonSerializer.Serialize(
                model.Provenance.OrderBy(p => p.Key, StringComparer.Ordinal).ToDictionary())), StringComparison.Ordinal);
    }

    public static string CSharp(TrainedModel model)
    {
        List<string> lines = [];
        lines.Add(CSharpStep(model.Plan.Stem, "stem"));
        for (int l = 0; l < model.Plan.Blocks.Count; l++)
        {
            BlockPlan block = model.Plan.Blocks[l];
            lines.Add($"input = x; // {block.Name}");
            lines.AddRange(block.Steps.Select(s => CSharpStep(s, Invariant($"layers.{l}.{StateNames.Attribute(s)}"))));
            if (block.IsResidual)
                lines.Add("x = x.add(input, One);");
        }

        if (model.Plan.Head is { } head)
            lines.Add(CSharpStep(head, "head"));
        return Fill("network.txt", model).Replace("@STEPS@", string.Join('\n', lines.Select(l => $"        {l}")),
            StringComparison.Ordinal);
    }

    private static string PythonBlock(BlockPlan block)
    {
        string steps = string.Concat(block.Steps.Select(s => $", {StateNames.Attribute(s)}={PythonStep(s)}"));
        return $"            Block({(block.IsResidual ? "True" : "False")}{steps}),  # {block.Name}";
    }

    private static string PythonStep(PlanStep step) => step is PlanStep.Conv conv
        ? PythonConv(conv) : Invariant($"SqueezeExcite({((PlanStep.Squeeze)step).Channels}, {((PlanStep.Squeeze)step).Inner})");

    private static string PythonConv(PlanStep.Conv c) => Invariant(
        $"ConvNorm({c.Input}, {c.Output}, {c.Kernel}, {c.Stride}, {c.Groups}, {c.Activation switch
        {
            Activation.Relu =>
        "nn.ReLU",
            Activation.Relu6 => "nn.ReLU6",
            Activation.Swish => "nn.SiLU",
            _ => "None"
        }})");

    private static string CSharpStep(PlanStep step, string name)
    {
        if (step is PlanStep.Squeeze squeeze)
            return Invariant($"x = SqueezeExcite(x, \"{name}\", {squeeze.Channels});");
        PlanStep.Conv c = (PlanStep.Conv)step;
        string y = Invariant($"ConvNorm(x, \"{name}\", {c.Kernel}, {c.Stride}, {c.Groups})");
        return c.Activation switch
        {
            Activation.Relu => $"x = nn.functional.relu({y}, inplace: false);",
            Activation.Relu6 => $"x = nn.functional.relu6({y}, inplace: false);",
            Activation.Swish => $"x = nn.functional.silu({y}, inplace: false);",
            _ => $"x = {y};",
        };
    }

    /// <summary>
    /// JSON of texts as Python: beyond the basic plane JSON has a pair of surrogates, of which Python makes two characters that it cannot
    /// write; its own form is \UXXXXXXXX.
    /// </summary>
    private static string PythonOf(string json) => Surrogates().Replace(json, m => m.Groups["high"].Success
        ? Invariant($"\\U{char.ConvertToUtf32(Half(m.Groups["high"]), Half(m.Groups["low"])):X8}")
        : m.Value);

    private static char Half(Group hex) => (char)Convert.ToInt32(hex.Value, 16);

    [GeneratedRegex(@"\\\\|\\u(?<high>d[89ab][0-9a-f]{2})\\u(?<low>d[c-f][0-9a-f]{2})", RegexOptions.IgnoreCase)]
    private static partial Regex Surrogates();

    private static string Fill(string template, TrainedModel model)
    {
        using StreamReader reader = new(typeof(SourceWriter).Assembly.GetManifestResourceStream(template)!);
        string names = JsonSerializer.Serialize(model.Classes);
        return reader.ReadToEnd()
            .Replace("@TITLE@", $"{model.Architecture.Text}: {model.Classes.Count} classes, {model.Space.Resolution} x " +
                $"{model.Space.Resolution} pixels.", StringComparison.Ordinal)
            .Replace("@CHANNELS@", Invariant($"{model.Space.InputChannels}"), StringComparison.Ordinal)
            .Replace("@RESOLUTION@", Invariant($"{model.Space.Resolution}"), StringComparison.Ordinal)
            .Replace("@CLASSES@", Invariant($"{model.Space.Classes}"), StringComparison.Ordinal)
            .Replace("@FEATURES@", Invariant($"{model.Plan.Features}"), StringComparison.Ordinal)
            .Replace("@MEAN@", Invariant($"{TrainedModel.Mean}"), StringComparison.Ordinal)
            .Replace("@DEVIATION@", Invariant($"{TrainedModel.Deviation}"), StringComparison.Ordinal)
            .Replace("@EPSILON@", Invariant($"{NetworkPlan.NormEpsilon:0.#######}"), StringComparison.Ordinal)
            .Replace("@CLASSNAMES@", template.EndsWith(".py", StringComparison.Ordinal)
                ? PythonOf(names) : $"{{ {names[1..^1]} }}", StringComparison.Ordinal);
    }
}
