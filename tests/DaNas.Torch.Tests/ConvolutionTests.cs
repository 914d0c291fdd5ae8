using DaNas.Domain.SearchSpaces;
using DaNas.Runtime.Configuration;
using DaNas.Torch.Networks;

namespace DaNas.Torch.Tests;

public sealed class ConvolutionTests
{
    public ConvolutionTests() => TorchBinding.Prepare(1);

    /// <summary>Output channels of 8 more than a multiple of 32 are what oneDNN 3.7.1 computes wrongly on some machines.</summary>
    [Theory]
    [InlineData(144, 40, 1)]
    [InlineData(40, 40, 1)]
    [InlineData(24, 72, 1)]
    [InlineData(320, 104, 1)]
    [InlineData(72, 40, 2)]
    [InlineData(24, 144, 1)]
    public void Pointwise_convolutions_are_float64s_forwards_and_backwards_in_both_layouts(int input, int output, int stride)
    {
        PlanStep.Conv conv = new(string.Empty, input, output, 1, stride, 1, null);
        ConvolutionCheck.Difference(conv, 7, true).ShouldBeLessThan(1e-5);
        ConvolutionCheck.Difference(conv, 7, false).ShouldBeLessThan(1e-5);
    }

    [Theory]
    [InlineData("drawn-12")]
    [InlineData("drill")]
    [InlineData("imagenet20")]
    public void What_shipped_searches_convolve_with_is_right_on_this_machine(string search) =>
        Should.NotThrow(() =>
            ConvolutionCheck.Run(ConfigLoader.Load(search, search == "imagenet20" ? ["data.path=/nowhere"] : [], null).SpaceFor(12), true));
}
