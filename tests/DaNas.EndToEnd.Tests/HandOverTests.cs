using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DaNas.EndToEnd.Tests;

/// <summary>A fact that needs Debian's PyTorch and ONNX checker; scripts/test.sh installs them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> There = new(() => Python("-c", "import torch, onnx").Code == 0);

    public PythonFactAttribute()
    {
        if (!There.Value)
            Skip = "no python3-torch and python3-onnx: scripts/test.sh installs them";
    }

    public static (int Code, string Output, string Error) Python(params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("/usr/bin/python3", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
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

/// <summary>What a search hands over: a model in other programs' formats, and a report.</summary>
public sealed partial class HandOverTests : IDisposable
{
    private const double Tolerance = 1e-5;

    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [PythonFact]
    public void PyTorch_and_the_ONNX_checker_accept_an_export_and_answer_as_the_product_does()
    {
        JsonElement clean = danas.Clean();
        string to = Path.Combine(danas.Folder, "export");
        (int code, string text, string error) = danas.Run("export", "clean", "--to", to, "--samples", "40", "--json");
        code.ShouldBe(0, error);
        Danas.LastLine(text).GetProperty("files").GetArrayLength().ShouldBe(7);
        (code, text, error) = PythonFactAttribute.Python(Path.Combine(Root(), "scripts", "export", "compare.py"), to);
        code.ShouldBe(0, error);
        JsonElement result = Danas.LastLine(text);
        result.GetProperty("largestDifference").GetDouble().ShouldBeLessThan(Tolerance);
        result.GetProperty("sameAnswers").GetBoolean().ShouldBeTrue();
        result.GetProperty("pictures").GetInt32().ShouldBe(40);
        result.GetProperty("parameters").GetInt64().ShouldBe(clean.GetProperty("parameters").GetInt64());
        result.GetProperty("metadata").EnumerateArray().Select(m => m.GetString()).ShouldContain("decision-sha256");
    }

    [Fact]
    public void A_report_tells_a_finished_search_without_any_network_and_an_unfinished_one_as_far_as_it_is()
    {
        JsonElement clean = danas.Clean();
        string html = Path.Combine(danas.Folder, "a.html");
        danas.Run("report", "clean", "--to", html).Code.ShouldBe(0);
        string page = File.ReadAllText(html);
        page.ShouldContain(clean.GetProperty("decisionHash").GetString()!);
        page.ShouldContain("Chart.js");
        OutsideReference().Matches(page).ShouldBeEmpty();
        JsonElement data = JsonDocument.Parse(DataOf().Match(page).Groups[1].Value).RootElement;
        data.GetProperty("models").EnumerateArray().First(m => m.GetProperty("name").GetString() == "winner").GetProperty("testAccuracy").GetDouble().ShouldBe(clean.GetProperty("testAccuracy").GetDouble());
        data.GetProperty("blocks").EnumerateArray().SelectMany(l => l.EnumerateArray()).Count(b => b.GetProperty("won").GetBoolean()).ShouldBe(data.GetProperty("blocks").GetArrayLength());
        data.GetProperty("blocks").EnumerateArray().SelectMany(l => l.EnumerateArray()).ShouldContain(b => b.GetProperty("prunedAt").ValueKind == JsonValueKind.Number);
        string markdown = Path.Combine(danas.Folder, "a.md");
        danas.Run("report", "clean", "--to", markdown).Code.ShouldBe(0);
        File.ReadAllText(markdown).ShouldContain("| warm-up |");

        using (Process first = danas.Start("run", "drill", "--id", "half"))
        {
            danas.WaitFor("half", "\"id\":101,", 12, first);
            danas.Run("report", "half", "--to", html).Code.ShouldBe(0); // While it runs.
            first.Kill(true);
            first.WaitForExit();
        }

        danas.Run("report", "half", "--to", markdown).Code.ShouldBe(0);
        File.ReadAllText(markdown).ShouldContain("unfinished");
        (int code, _, string error) = danas.Run("export", "half", "--to", danas.Folder);
        code.ShouldBe(2);
        error.ShouldContain("danas resume half");
    }

    [Theory]
    [InlineData("--format", "tensorrt", "onnx, safetensors")]
    [InlineData("--model", "loser", "winner")]
    public void An_export_of_what_is_not_there_says_what_is(string option, string value, string said)
    {
        danas.Clean();
        (int code, _, string error) = danas.Run("export", "clean", "--to", Path.Combine(danas.Folder, "x"), option, value);
        code.ShouldBe(2);
        error.ShouldContain(said);
        error.TrimEnd().Split('\n').Length.ShouldBe(1);
    }

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "DaNas.Actors.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex("(?:src|href)\\s*=\\s*[\"'](?!#)|@import|fetch\\(|XMLHttpRequest", RegexOptions.IgnoreCase)]
    private static partial Regex OutsideReference();

    [GeneratedRegex("const data = (\\{.*?\\});</script>", RegexOptions.Singleline)]
    private static partial Regex DataOf();
}
