using System.Diagnostics;

namespace DaNas.EndToEnd.Tests;

/// <summary>The same search on either host, and from one to the other.</summary>
public sealed class HostTests : IDisposable
{
    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [Theory]
    [InlineData("embedded", "akka")]
    [InlineData("akka", "embedded")]
    public void A_search_that_is_killed_on_one_host_ends_on_the_other_as_a_clean_one(string first, string second)
    {
        using (Process run = danas.Start("run", "drill", "--id", "moved", "--host", first))
        {
            danas.WaitFor("moved", "\"id\":101,", 12, run);
            run.Kill(true);
            run.WaitForExit();
        }

        (int code, string text, string error) = danas.Run("resume", "moved", "--host", second, "--json");
        code.ShouldBe(0, error);
        Danas.SameOutcome(Danas.LastLine(text), Danas.CleanEnd);
        danas.Run("journal", "verify").Code.ShouldBe(0);
    }

    [Fact]
    public void A_host_that_is_none_is_refused()
    {
        (int code, _, string error) = danas.Run("run", "drill", "--host", "orleans");
        code.ShouldBe(2);
        error.ShouldContain("--host orleans: write akka or embedded");
    }
}
