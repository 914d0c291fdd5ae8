using DaNas.Reports;
using DaNas.Torch;

namespace DaNas.Cli.Tests;

/// <summary>When a measured latency is believed.</summary>
public sealed class LatencyReportTests
{
    [Theory]
    [InlineData(0.79, 1.0, 1.5, false)]
    [InlineData(0.80, 1.0, 1.5, true)]
    [InlineData(0.10, 1.0, 1.04, true)] // Near-ties: the order means nothing, the numbers agree.
    [InlineData(null, 1.0, 1.5, false)]
    [InlineData(null, 1.0, 1.04, true)]
    public void Two_rounds_must_order_alike_or_be_alike(double? tau, double first, double second, bool believed)
    {
        LatencyRow row = new("a", 1, Latency.Of([first]), Latency.Of([second]), null);
        new LatencyReport([row], 8, tau, null, null, null).IsRepeatable.ShouldBe(believed);
    }

    [Fact]
    public void A_latency_is_the_median_and_the_middle_half()
    {
        Latency latency = Latency.Of([5, 1, 3, 100, 2]);
        (latency.Median, latency.Low, latency.High).ShouldBe((3, 2, 5));
        latency.Spread.ShouldBe(0.5);
    }
}
