using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DaNas.EndToEnd.Tests;

/// <summary>What a search hands over: a model in other programs' formats, and a report.</summary>
public sealed partial class HandOverTests : IDisposable
{
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public void A_report_tells_a_finished_search_without_any_network_and_an_unfinished_one_as_far_as_it_is()
    {
        JsonElement clean = danas.Clean();
        string html = Path.Combine(danas.Folder, "a.html");
        danas.Run("report", "clean", "--to", html).Code.ShouldBe(0);
        string page = File.ReadAllText(html);
        page.ShouldContain(clean.GetProperty("decisionHash").GetString()!);
        page.ShouldContain("echarts");
        page.ShouldContain("default-src 'none'"); // No network, whatever a script tries.
        // But for the library's own text.
        OutsideReference().Matches(page.Remove(page.IndexOf("<script>", StringComparison.Ordinal),
            page.IndexOf("</script>", StringComparison.Ordinal) - page.IndexOf("<script>", StringComparison.Ordinal))).ShouldBeEmpty();
        JsonElement data = JsonDocument.Parse(DataOf().Match(page).Groups[1].Value).RootElement;
        data.GetProperty("models").EnumerateArray().First(m => m.GetProperty("name").GetString() == "winner").GetProperty("testAccuracy")
            .GetDouble().ShouldBe(clean.GetProperty("testAccuracy").GetDouble());
        data.GetProperty("blocks").EnumerateArray().SelectMany(l => l.EnumerateArray()).Count(b => b.GetProperty("won").GetBoolean())
            .ShouldBe(data.GetProperty("blocks").GetArrayLength());
        data.GetProperty("blocks").EnumerateArray().SelectMany(l => l.EnumerateArray())
            .ShouldContain(b => b.GetProperty("prunedAt").ValueKind == JsonValueKind.Number);
        // The candidate that won is marked.
        data.GetProperty("models").EnumerateArray().Where(m => m.GetProperty("won").GetBoolean())
            .ShouldContain(m => m.GetProperty("supernetAccuracy").ValueKind == JsonValueKind.Number);
        JsonElement[] confusion = [.. data.GetProperty("confusion").EnumerateArray()];
        double right = confusion.Select((row, c) => row[c].GetInt32()).Sum(),
            all = confusion.Sum(row => row.EnumerateArray().Sum(n => n.GetInt32()));
        Math.Round(right / all, 6).ShouldBe(clean.GetProperty("testAccuracy").GetDouble());
        data.GetProperty("configuration").GetString()!.ShouldContain("seed");
        data.GetProperty("facts").EnumerateArray().Select(f => f.GetProperty("key").GetString())
            .Intersect(["seed", "numerics", "this page"]).Count().ShouldBe(3);
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

    [GeneratedRegex("(?:src|href)\\s*=\\s*[\"'](?!#)|@import|fetch\\(|XMLHttpRequest", RegexOptions.IgnoreCase)]
    private static partial Regex OutsideReference();

    [GeneratedRegex("const data = (\\{.*?\\});</script>", RegexOptions.Singleline)]
    private static partial Regex DataOf();
}
