using System.Text.Json;

namespace DaNas.EndToEnd.Tests;

/// <summary>The crash-point sweep, a class of its own since it is the longest test: classes run side by side.</summary>
public sealed class SweepTests(Xunit.Abstractions.ITestOutputHelper output) : IDisposable
{
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Fact]
    public void Killed_at_forty_points_of_events_and_blobs_a_search_is_the_clean_search()
    {
        (int code, string text, string error) = danas.Run("drill", "sweep", "--points", "40", "--independent", "3");
        output.WriteLine(text);
        code.ShouldBe(0, text + error);
        JsonElement result = Danas.LastLine(text);
        (result.GetProperty("eventPoints").GetInt32() + result.GetProperty("blobPoints").GetInt32()).ShouldBe(40);
        result.GetProperty("blobPoints").GetInt32().ShouldBeGreaterThan(5);
        result.GetProperty("different").GetInt32().ShouldBe(0);
    }
}
