using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using DaNas.Runtime.Processes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace DaNas.EndToEnd.Tests;

/// <summary>Exports held against programs that are not ours, on test images and the logits that the product answers.</summary>
public sealed class ExportTests : IDisposable
{
    private const string Compare = """
        import importlib.util, json, sys, onnx, torch
        folder = sys.argv[1]
        spec = importlib.util.spec_from_file_location("model", f"{folder}/model.py")
        model = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(model)
        samples = model.read_safetensors(f"{folder}/samples.safetensors")
        network = model.load(f"{folder}/model.safetensors")
        with torch.no_grad():
            logits = network(samples["pixels"])
        ours = samples["logits"]
        graph = onnx.load(f"{folder}/model.onnx")
        onnx.checker.check_model(graph, full_check=True)
        print(json.dumps({
            "images": len(ours),
            "largestDifference": (logits - ours).abs().max().item() / ours.abs().max().item(),
            "sameAnswers": bool((logits.argmax(1) == ours.argmax(1)).all()),
            "parameters": sum(p.numel() for p in network.parameters()),
            "opset": graph.opset_import[0].version,
            "metadata": sorted(p.key for p in graph.metadata_props),
        }))
        """;

    private readonly Danas danas = new();

    /// <summary>Where this build's libtorch lies, as the product's runtime configuration has it.</summary>
    private static string Torch =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, (string)AppContext.GetData("DaNas.Torch.Folder")!));

    public void Dispose() => danas.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ONNX_Runtime_answers_as_the_product_does(bool folded)
    {
        string to = Export("onnx", folded ? ["--fold"] : []);
        (float[] pixels, int[] shape) = Read(to, "pixels");
        (float[] logits, int[] answers) = Read(to, "logits");
        using InferenceSession session = new(Path.Combine(to, "model.onnx"));
        JsonSerializer.Deserialize<string[]>(session.ModelMetadata.CustomMetadataMap["classes"])!.Length.ShouldBe(answers[1]);
        Difference(Run(session, pixels, shape), logits).ShouldBeLessThan(1e-5);
        int one = pixels.Length / shape[0];
        Difference(Run(session, pixels[..one], [1, .. shape[1..]]), logits[..answers[1]]).ShouldBeLessThan(1e-5); // Any batch size.
    }

    [Fact]
    public void Class_names_of_every_kind_come_through_a_search_its_exports_and_its_report()
    {
        string[] names = ["a \"quoted\" one", "it's <b>bold & \\ more", "line\nend", "\U0001F600 cat"];
        string data = Path.Combine(danas.Folder, "images");
        Bitmaps.Write(data, names);
        (int code, _, string error) = danas.Run("run", "drill", "--id", "clean", "--data", data);
        code.ShouldBe(0, error);
        string to = Path.Combine(danas.Folder, "export"), html = Path.Combine(danas.Folder, "report.html");
        danas.Run("export", "clean", "--to", to).Code.ShouldBe(0);
        danas.Run("report", "clean", "--to", html).Code.ShouldBe(0);
        using InferenceSession session = new(Path.Combine(to, "model.onnx"));
        JsonSerializer.Deserialize<string[]>(session.ModelMetadata.CustomMetadataMap["classes"]).ShouldBe(names);
        string page = File.ReadAllText(html);
        page.ShouldNotContain("<b>bold");
        page.ShouldContain($"\"classes\":{JsonSerializer.Serialize(names)}");
        File.ReadAllText(Path.Combine(to, "Model.cs")).ShouldContain(JsonSerializer.Serialize(names)[1..^1]);
        File.ReadAllText(Path.Combine(to, "model.py")).ShouldContain("\\U0001F600 cat");
        JsonDocument.Parse(File.ReadAllText(Path.Combine(to, "architecture.json"))).RootElement.GetProperty("classes").EnumerateArray()
            .Select(n => n.GetString()).ShouldBe(names);
    }

    [PythonFact]
    public void PyTorch_and_the_ONNX_checker_take_an_export_and_answer_as_the_product_does()
    {
        JsonElement clean = danas.Clean();
        string to = Path.Combine(danas.Folder, "export");
        (int code, string text, string error) = danas.Run("export", "clean", "--to", to, "--samples", "40", "--json");
        code.ShouldBe(0, error);
        Danas.LastLine(text).GetProperty("files").GetArrayLength().ShouldBe(7);
        (code, text, error) = PythonFactAttribute.Python("-c", Compare, to);
        code.ShouldBe(0, error);
        JsonElement result = Danas.LastLine(text);
        result.GetProperty("largestDifference").GetDouble().ShouldBeLessThan(1e-5);
        result.GetProperty("sameAnswers").GetBoolean().ShouldBeTrue();
        result.GetProperty("images").GetInt32().ShouldBe(40);
        result.GetProperty("opset").GetInt32().ShouldBe(17);
        result.GetProperty("parameters").GetInt64().ShouldBe(clean.GetProperty("parameters").GetInt64());
        result.GetProperty("metadata").EnumerateArray().Select(m => m.GetString()).ShouldContain("decision-sha256");
    }

    [Fact]
    public async Task The_exported_C_sharp_class_compiles_and_answers_as_the_product_does()
    {
        danas.Clean();
        string to = Path.Combine(danas.Folder, "export");
        danas.Run("export", "clean", "--to", to, "--format", "csharp", "--samples", "30").Code.ShouldBe(0);
        File.WriteAllText(Path.Combine(to, "try.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
              <ItemGroup><Reference Include="TorchSharp">
                <HintPath>{Path.Combine(AppContext.BaseDirectory, "TorchSharp.dll")}</HintPath></Reference></ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(to, "Program.cs"), """
            using System.Buffers.Binary;
            using System.Runtime.InteropServices;
            using System.Text.Json;
            using TorchSharp;
            foreach (string library in new[] { "libtorch_cpu.so", "libLibTorchSharp.so" })
                NativeLibrary.Load(Path.Combine(args[2], library)); // A user's project has the package TorchSharp-cpu instead.
            byte[] bytes = File.ReadAllBytes(args[1]);
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            JsonElement header = JsonDocument.Parse(bytes.AsMemory(8, length)).RootElement;
            (float[] pixels, long[] shape) = Read("pixels");
            (float[] logits, _) = Read("logits");
            using FoundNetwork network = FoundNetwork.Load(args[0]);
            float[] own = network.Forward(torch.tensor(pixels, shape)).data<float>().ToArray();
            Console.WriteLine(own.Zip(logits, (a, b) => Math.Abs(a - b)).Max() / logits.Max(Math.Abs));
            return own.Length == logits.Length && own.Length == shape[0] * FoundNetwork.Classes.Length ? 0 : 1;

            (float[], long[]) Read(string name)
            {
                JsonElement e = header.GetProperty(name);
                int from = 8 + length + e.GetProperty("data_offsets")[0].GetInt32(),
            until = 8 + length + e.GetProperty("data_offsets")[1].GetInt32();
                return (MemoryMarshal.Cast<byte, float>(bytes.AsSpan(from, until - from)).ToArray(),
            e.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64()).ToArray());
            }
            """);
        using Process run = Process.Start(new ProcessStartInfo(
            "dotnet", ["run", "--project", to, "--", Path.Combine(to, "model.safetensors"), Path.Combine(to, "samples.safetensors"), Torch])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = to,
            Environment = { ["OMP_NUM_THREADS"] = "1" },
        })!;
        Task<string> error = run.StandardError.ReadToEndAsync();
        string text = await run.StandardOutput.ReadToEndAsync();
        await run.WaitForExitAsync();
        run.ExitCode.ShouldBe(0, text + await error);
        double.Parse(text.TrimEnd().Split('\n')[^1], System.Globalization.CultureInfo.InvariantCulture).ShouldBeLessThan(1e-5);
    }

    private string Export(string format, string[] more)
    {
        danas.Clean();
        string to = Path.Combine(danas.Folder, "export");
        danas.Run(["export", "clean", "--to", to, "--format", format, "--samples", "30", .. more]).Code.ShouldBe(0);
        return to;
    }

    private static float[] Run(InferenceSession session, float[] pixels, int[] shape)
    {
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results =
            session.Run([NamedOnnxValue.CreateFromTensor("pixels", new DenseTensor<float>(pixels, shape))]);
        return [.. results.Single(r => r.Name == "logits").AsTensor<float>()];
    }

    private static double Difference(float[] own, float[] expected)
    {
        own.Length.ShouldBe(expected.Length);
        return own.Zip(expected, (a, b) => Math.Abs(a - b)).Max() / expected.Max(Math.Abs);
    }

    private static (float[] Values, int[] Shape) Read(string folder, string name)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(folder, "samples.safetensors"));
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        JsonElement entry = JsonDocument.Parse(bytes.AsMemory(8, length)).RootElement.GetProperty(name);
        int[] offsets = [.. entry.GetProperty("data_offsets").EnumerateArray().Select(o => 8 + length + o.GetInt32())];
        return (MemoryMarshal.Cast<byte, float>(bytes.AsSpan(offsets[0], offsets[1] - offsets[0])).ToArray(),
            [.. entry.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())]);
    }
}

/// <summary>A data set of bitmaps of 12 x 12.</summary>
internal static class Bitmaps
{
    public static void Write(string folder, string[] classes)
    {
        foreach ((string name, int c) in classes.Select((n, c) => (n, c)))
        {
            foreach ((string split, int count) in new[] { ("train", 24), ("test", 4) })
            {
                Directory.CreateDirectory(Path.Combine(folder, split, name));
                for (int i = 0; i < count; i++)
                    File.WriteAllBytes(Path.Combine(folder, split, name, $"{i}.bmp"), Bitmap(c, i));
            }
        }
    }

    private static byte[] Bitmap(int c, int i)
    {
        byte[] bytes = [.. "BM"u8, 0, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0, 1, 0, 24, 0,
            .. new byte[24], .. new byte[12 * 36]];
        for (int p = 54; p < bytes.Length; p++)
            bytes[p] = (byte)((c * 60) + (i * 7) + (p % (c + 2) * 20));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(2), bytes.Length);
        return bytes;
    }
}

/// <summary>A fact that needs Debian's PyTorch and ONNX checker.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> There = new(() => Python("-c", "import torch, onnx").Code == 0);

    public PythonFactAttribute()
    {
        if (!There.Value)
            Skip = "PyTorch or the ONNX checker is missing: install the packages python3-torch and python3-onnx";
    }

    public static (int Code, string Output, string Error) Python(params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(
                "/usr/bin/python3", arguments)
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, string.Empty, e.Message);
        }
    }
}
