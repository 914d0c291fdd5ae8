using DaNas.Domain.SearchSpaces;
using DaNas.Reports.Export.Onnx;
using DaNas.Torch.Checkpoints;
using Google.Protobuf;

namespace DaNas.Reports.Export;

/// <summary>
/// A model as ONNX: opset 17, float32, batch size free ("N"). Input "pixels" [N, C, H, W], output "logits" [N, K]; classes, preprocessing
/// and provenance stand in the metadata.
/// </summary>
public sealed class OnnxWriter
{
    private const long IrVersion = 8;
    private const long Opset = 17;
    private const int Float = 1;

    private static readonly string[] NormTensors = ["gamma", "beta", "mean", "variance"];

    private readonly GraphProto graph = new() { Name = "danas" };
    private readonly TrainedModel model;
    private readonly bool folded;

    private OnnxWriter(TrainedModel model, bool folded)
    {
        this.model = model;
        this.folded = folded;
    }

    /// <summary>The file's bytes. Folded: batch norm is multiplied into the convolutions, as quantisers want it.</summary>
    public static byte[] Write(TrainedModel model, bool folded) => new OnnxWriter(model, folded).Build().ToByteArray();

    private ModelProto Build()
    {
        SearchSpace space = model.Space;
        graph.Input.Add(Value("pixels", "[N, C, H, W], bytes v as (v / 255 - 0.5) / 0.25", space.InputChannels,
            space.Resolution, space.Resolution));
        graph.Output.Add(Value("logits", "[N, K], one a class, before softmax", space.Classes));
        string x = Conv("stem", model.Plan.Stem, "pixels");
        foreach (BlockPlan block in model.Plan.Blocks)
            x = Block(block, x);
        if (model.Plan.Head is { } head)
            x = Conv("head", head, x);
        x = Node("GlobalAveragePool", "pool", [x]);
        x = Node("Flatten", "flatten", [x], Attribute("axis", 1));
        NodeProto last = new() { Name = "classifier", OpType = "Gemm", Attribute = { Attribute("transB", 1) } };
        last.Input.Add([x, Keep("classifier.weight", model.Tensor("classifier.weight")),
            Keep("classifier.bias", model.Tensor("classifier.bias"))]);
        last.Output.Add("logits");
        graph.Node.Add(last);
        ModelProto result = new()
        {
            IrVersion = IrVersion,
            ProducerName = "DaNas.Actors",
            ProducerVersion = typeof(OnnxWriter).Assembly
            .GetName().Version!.ToString(3),
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Version = Opset } }
        };
        foreach ((string key, string value) in model.Provenance.OrderBy(p => p.Key, StringComparer.Ordinal))
            result.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return result;
    }

    private string Block(BlockPlan block, string input)
    {
        string x = input;
        foreach (PlanStep step in block.Steps)
        {
            string name = $"{block.Name}.{step.Name}";
            x = step is PlanStep.Conv conv ? Conv(name, conv, x) : Squeeze(name, x);
        }

        return block.IsResidual ? Node("Add", $"{block.Name}.residual", [x, input]) : x;
    }

    private string Conv(string name, PlanStep.Conv conv, string input)
    {
        AttributeProto[] attributes = [Attribute("kernel_shape", [conv.Kernel, conv.Kernel]), Attribute("strides",
            [conv.Stride, conv.Stride]), Attribute("pads", Enumerable.Repeat((long)conv.Kernel / 2, 4)), Attribute("group", conv.Groups)];
        string y;
        if (folded)
        {
            (HostTensor weight, HostTensor bias) = Folding.Of(model, name);
            y = Node("Conv", name, [input, Keep($"{name}.weight", weight), Keep($"{name}.bias", bias)], attributes);
        }
        else
        {
            y = Node("Conv", name, [input, Keep($"{name}.weight", model.Tensor($"{name}.weight"))], attributes);
            y = Node("BatchNormalization", $"{name}.norm", [y,
                .. NormTensors.Select(n => Keep($"{name}.{n}", model.Tensor($"{name}.{n}")))], new AttributeProto
                {
                    Name = "epsilon",
                    F = (float)NetworkPlan.NormEpsilon,
                    Type = AttributeProto.Types.AttributeType.Float
                });
        }

        return conv.Activation switch
        {
            Activation.Relu => Node("Relu", $"{name}.relu", [y]),
            Activation.Relu6 => Node("Clip", $"{name}.relu6", [y, Keep("zero", HostTensor.Of([0f])), Keep("six", HostTensor.Of([6f]))]),
            Activation.Swish => Node("Mul", $"{name}.swish", [y, Node("Sigmoid", $"{name}.sigmoid", [y])]),
            _ => y,
        };
    }

    /// <summary>The two linear layers as 1x1 convolutions of the pooled image.</summary>
    private string Squeeze(string name, string input)
    {
        string z = Node("GlobalAveragePool", $"{name}.pool", [input]);
        z = Node("Conv", $"{name}.reduce", [z, Keep($"{name}.reduce", Pointwise(model.Tensor($"{name}.reduce"))),
            Keep($"{name}.reduce-bias", model.Tensor($"{name}.reduce-bias"))]);
        z = Node("Relu", $"{name}.relu", [z]);
        z = Node("Conv", $"{name}.expand", [z, Keep($"{name}.expand", Pointwise(model.Tensor($"{name}.expand"))),
            Keep($"{name}.expand-bias", model.Tensor($"{name}.expand-bias"))]);
        return Node("Mul", $"{name}.scale", [input, Node("Sigmoid", $"{name}.gate", [z])]);
    }

    private static HostTensor Pointwise(HostTensor matrix) => matrix with { Shape = [.. matrix.Shape, 1, 1] };

    /// <summary>Adds a node with one output, named after it; returns that name.</summary>
    private string Node(string type, string name, IEnumerable<string> inputs, params AttributeProto[] attributes)
    {
        NodeProto node = new() { Name = name, OpType = type };
        node.Input.Add(inputs);
        node.Output.Add($"{name}.y");
        node.Attribute.Add(attributes);
        graph.Node.Add(node);
        return node.Output[0];
    }

    private string Keep(string name, HostTensor tensor)
    {
        if (graph.Initializer.Any(t => t.Name == name))
            return name;
        TensorProto proto = new() { Name = name, DataType = Float, RawData = ByteString.CopyFrom(tensor.Bytes) };
        if (name is not ("zero" or "six"))
            proto.Dims.Add(tensor.Shape); // Those two are scalars.
        graph.Initializer.Add(proto);
        return name;
    }

    private static AttributeProto Attribute(string name, long value) =>
        new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    private static AttributeProto Attribute(string name, IEnumerable<long> values) =>
        new() { Name = name, Ints = { values }, Type = AttributeProto.Types.AttributeType.Ints };

    private static AttributeProto Attribute(string name, int[] values) => Attribute(name, values.Select(v => (long)v));

    private static ValueInfoProto Value(string name, string text, params long[] sizes)
    {
        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        shape.Dim.Add(sizes.Select(s => new TensorShapeProto.Types.Dimension { DimValue = s }));
        return new ValueInfoProto
        {
            Name = name,
            DocString = text,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = Float, Shape = shape } }
        };
    }
}
