using DaNas.Domain.Architectures;
using DaNas.Domain.Configuration;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Data;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;
using DaNas.Torch.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Tests;

/// <summary>The recipe of training from scratch, piece by piece.</summary>
public sealed class RecipeTests
{
    private static readonly string[] Whole =
    [
        "retrain.optimiser=adamw", "retrain.learning-rate=0.002", "retrain.warmup-epochs=0.2", "retrain.label-smoothing=0.1",
            "retrain.average-decay=0.9", "retrain.mixup=0.2", "retrain.cutmix=1.0",
        "retrain.rand-augment.operations=2", "retrain.weight-decay=0.05",
    ];

    private static readonly Architecture Some = new("cpu-base", ["k3e3", "k5e3", "k3e6", "k5e1", "k3e3", "k5e6"]);

    [Fact]
    public void The_whole_recipe_goes_through_checkpoints_to_the_bit()
    {
        using EngineFixture straight = new([.. Whole, "retrain.segment-steps=24"]);
        UnitResult.SegmentRetrained whole = straight.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 3, "winner", Some, 0, 1, 24, null));
        using EngineFixture halves = new([.. Whole, "retrain.segment-steps=12"]);
        BlobRef half = halves.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 3, "winner", Some, 0, 2, 24, null)).Output;
        using EngineFixture fresh = new([.. Whole, "retrain.segment-steps=12"]);
        BlobRef carried = fresh.Blobs.Put(halves.Blobs.Get(half));
        fresh.Run<UnitResult.SegmentRetrained>(new WorkUnit.RetrainSegment(
            "retrain/winner/1", 3, "winner", Some, 1, 2, 24, carried)).WeightsHash.ShouldBe(whole.WeightsHash);
        using EngineFixture plain = new("retrain.segment-steps=24");
        plain.Run<UnitResult.SegmentRetrained>(new WorkUnit.RetrainSegment(
            "retrain/winner/0", 3, "winner", Some, 0, 1, 24, null)).WeightsHash.ShouldNotBe(whole.WeightsHash);
    }

    /// <summary>
    /// From the definition: with g = 2 everywhere, the first step is lr sign(g) beside the decay lr d w; the next one the same.
    /// </summary>
    [Fact]
    public void Adamw_steps_as_its_definition_says_and_decays_no_vectors()
    {
        using EngineFixture f = new();
        using ChainNetwork network = f.Session.Build(EngineSession.OnlyOf(Some.Blocks), 1);
        using Optimiser adam = new(network, f.Session.Device, 0.1, new AdamW(0.9));
        (TorchSharp.Modules.Parameter weight, TorchSharp.Modules.Parameter scale) =
            (Named(network, "stem.weight"), Named(network, "stem.gamma"));
        float w = weight.data<float>()[0], s = scale.data<float>()[0];
        for (int step = 1; step <= 2; step++)
        {
            using (DisposeScope scope = NewDisposeScope())
            {
                Tensor loss = (weight.sum() * 2.0) + (scale.sum() * 2.0);
                loss.backward();
            }

            adam.Step(network.Parts, 0.01, step);
            w -= (0.01f * 0.1f * w) + 0.01f;
            s -= 0.01f;
            weight.data<float>()[0].ShouldBe(w, 1e-5f);
            scale.data<float>()[0].ShouldBe(s, 1e-5f);
        }
    }

    [Fact]
    public void The_moving_average_follows_the_weights_and_takes_their_place()
    {
        using EngineFixture f = new();
        using ChainNetwork network = f.Session.Build(EngineSession.OnlyOf(Some.Blocks), 1);
        TorchSharp.Modules.Parameter weight = Named(network, "stem.weight");
        float first = weight.data<float>()[0];
        using WeightAverage average = WeightAverage.Of(network, 0.9)!;
        using (no_grad())
            weight.mul_(3);
        average.Update(1); // The decay begins at (1 + 1) / (10 + 1).
        average.Apply();
        weight.data<float>()[0].ShouldBe((first * 2 / 11) + (3 * first * 9 / 11), 1e-5f);
    }

    [Fact]
    public void The_learning_rate_rises_linearly_and_falls_as_a_cosine()
    {
        TrainingRecipe recipe = new(0.4, 0.9, 0, 16, 0, 100) { WarmupSteps = 20 };
        recipe.RateAt(0).ShouldBe(0.02, 1e-12);
        recipe.RateAt(19).ShouldBe(0.4, 1e-12);
        recipe.RateAt(20).ShouldBe(0.4, 1e-12);
        recipe.RateAt(60).ShouldBe(0.2, 1e-12);
        recipe.RateAt(99).ShouldBeLessThan(0.001);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mixed_pictures_hold_their_own_share_of_themselves(bool channelsLast)
    {
        // Image i is full of the value i: what is left of it can be counted.
        const int count = 8, side = 10, channels = 3;
        HostBatch batch = new([.. Enumerable.Range(0, count).SelectMany(i => Enumerable.Repeat((float)(1 << i), channels * side * side))],
            [.. Enumerable.Range(0, count).Select(i => (long)i)]);
        BatchShape shape = new(count, channels, channelsLast);
        HashSet<double> shares = [];
        for (long index = 0; index < 20; index++)
        {
            Mixed cut = new BatchMixing(0, 1, 5).Apply(batch, shape, index);
            Mixed mixed = new BatchMixing(0.4, 0, 5).Apply(batch, shape, index);
            for (int i = 0; i < count; i++)
            {
                float[] own = cut.Batch.Pixels[(i * 300)..((i + 1) * 300)];
                double left = own.Count(v => v == 1 << i) / 300.0;
                if (cut.Others[i] != i)
                    left.ShouldBe(cut.Share, 1e-6);
                own.ShouldAllBe(v => v == 1 << i || v == 1 << (int)cut.Others[i]);
                mixed.Batch.Pixels[i * 300]
                    .ShouldBe((float)((mixed.Share * (1 << i)) + ((1 - mixed.Share) * (1 << (int)mixed.Others[i]))), 1e-3f);
            }

            shares.Add(cut.Share);
            new BatchMixing(0, 1, 5).Apply(batch, shape, index).Batch.Pixels.ShouldBe(cut.Batch.Pixels);
        }

        shares.Count.ShouldBeGreaterThan(10);
    }

    [Fact]
    public void Random_augmentation_changes_pictures_by_its_seed_alone_and_nothing_without_operations()
    {
        using EngineFixture f = new("data.cache=0B");
        ImageEntry[] entries = ImageSet.Slice(f.Session.Images.Splits.Weights, [0, 1, 2], 1);
        AugmentOptions none = new(0, false, 0);
        BatchStream Stream(AugmentOptions o) => new(f.Session.Images, entries, 9, f.Session.Shape(16), o);
        float[] plain = Stream(none).At(0).Pixels;
        Stream(none with { Rand = (0, 30) }).At(0).Pixels.ShouldBe(plain);
        float[] changed = Stream(none with { Rand = (2, 15) }).At(0).Pixels;
        changed.ShouldNotBe(plain);
        changed.ShouldAllBe(v => v >= -2.001f && v <= 2.001f);
        Stream(none with { Rand = (2, 15) }).At(0).Pixels.ShouldBe(changed);
    }

    private static TorchSharp.Modules.Parameter Named(ChainNetwork network, string name) =>
        network.Parts.SelectMany(p => p.Parameters).First(p => p.Name == name).Parameter;
}
