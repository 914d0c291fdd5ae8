using DaNas.Domain.Architectures;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;

namespace DaNas.Domain.Tests;

/// <summary>The numbers of the method notes, section 4.6 (the operator table of BN-NAS).</summary>
public sealed class CostTests
{
    private static readonly string[] Slot = ["k3e3", "k3e6", "k5e3", "k5e6", "k7e3", "k7e6"];
    private readonly SearchSpace space = TestSearches.Space("bn-nas-21", 1000);

    [Fact]
    public void Bn_nas_block_24_32_112_s2_k3_e3_has_30933504_macs() => CostTable.Of(space).Of(1, "k3e3").Macs.ShouldBe(30_933_504);

    [Fact]
    public void Bn_nas_stem_first_block_and_head_have_the_published_sums()
    {
        CostTable costs = CostTable.Of(space);
        (costs.Fixed.Macs + costs.Of(0, "k3e1").Macs).ShouldBe(30_105_600 + 40_033_304);
    }

    [Fact]
    public void Bn_nas_published_architecture_has_473549240_macs()
    {
        int[] code = [3, -1, 0, 4, 0, -1, -1, 0, 4, -1, 4, 4, 1, 4, 2, 0, 0, 4, 0, 2, 2];
        Architecture a = new(space.Name, ((string[])["k3e1", .. code.Select(c => c < 0 ? "skip" : Slot[c])]).ToValueList());
        CostTable.Of(space).Of(a).Macs.ShouldBe(473_549_240);
    }

    [Fact]
    public void Bn_nas_smallest_and_largest_are_393_44_and_849_58_million()
    {
        CostTable costs = CostTable.Of(space);
        long low = costs.Fixed.Macs + space.Layers.Sum(l => l.Candidates.Min(b => costs.Of(l.Index, b.Name).Macs));
        long high = costs.Fixed.Macs + space.Layers.Sum(l => l.Candidates.Max(b => costs.Of(l.Index, b.Name).Macs));
        Math.Round(low / 1e6, 2).ShouldBe(393.44);
        Math.Round(high / 1e6, 2).ShouldBe(849.58);
        Math.Round(Math.Log10(space.Size), 1).ShouldBe(Math.Round(17 * Math.Log10(6), 1));
    }

    [Theory]
    [InlineData("cpu-base", 6, 46656)]
    [InlineData("cpu-augmented", 18, 41150592.0)]
    public void Cpu_spaces_have_their_candidates(string name, int first, double size)
    {
        SearchSpace s = TestSearches.Space(name, 10);
        s.Layers[0].Candidates.Count(b => !b.IsSkip).ShouldBe(first);
        s.Size.ShouldBe(name == "cpu-base" ? size : Math.Pow(19, 3) * Math.Pow(18, 3), 1);
    }

    [Theory]
    [InlineData("imagenet-base", 9)]
    [InlineData("imagenet-augmented", 19)]
    public void Imagenet_spaces_have_22_layers(string name, int candidates)
    {
        SearchSpace s = TestSearches.Space(name, 1000);
        s.Layers.Count.ShouldBe(22);
        s.Layers[2].Candidates.Count.ShouldBe(candidates);
    }

    [Fact]
    public void An_architecture_and_a_block_round_trip_through_their_text()
    {
        SearchSpace s = TestSearches.Space("cpu-augmented", 10);
        Architecture a = new(s.Name, s.Layers.Select(l => l.Candidates[^1].Name).ToValueList());
        Architecture.Parse(s, a.Text).ShouldBe(a);
        Architecture.Parse(s, a.Text + ".skip").ShouldBeNull();
        Architecture.Parse(s, "other/" + a.Text).ShouldBeNull();
        foreach (string name in new[] { "k3e6", "k5e3se", "k7e1g2", "k3e6sesw", "k3e6sw", "skip" })
            BlockSpec.Parse(name)!.Name.ShouldBe(name);
        foreach (string name in new[] { "k4e6", "k3", "e6k3", "k3e6x", "k3e6swse", "K3e6", "k03e6", "" })
            BlockSpec.Parse(name).ShouldBeNull();
    }
}
