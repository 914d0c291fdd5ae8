using DaNas.Cli.Presentation;
using DaNas.Domain.Architectures;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Faults;
using DaNas.Domain.Ports;
using DaNas.Domain.SearchSpaces;
using DaNas.Domain.Values;
using DaNas.Domain.Work;
using DaNas.Torch.Checkpoints;
using DaNas.Torch.Networks;
using DaNas.Torch.Optimisers;

namespace DaNas.Torch.Tests;

/// <summary>What a training engine promises, on whatever torch this build stands on.</summary>
public sealed class TrainingEngineContract
{
    [Theory]
    [InlineData("sampler.gradient=leave-one-out")]
    [InlineData("sampler.gradient=gate evidence.kind=probability prune.when=schedule")]
    [InlineData("sampler.kind=soft evidence.kind=probability prune.when=schedule")]
    [InlineData("sampler.kind=two-path evidence.kind=probability prune.when=schedule")]
    [InlineData("sampler.average-decay=0.9")]
    [InlineData("trainers.layout=default")]
    public void A_unit_run_twice_gives_the_same_bytes(string choice)
    {
        using EngineFixture f = new(choice.Split(' '));
        UnitResult.ShardTrained first = f.Run<UnitResult.ShardTrained>(f.Shard());
        using EngineFixture fresh = new(choice.Split(' '));
        UnitResult.ShardTrained second = fresh.Run<UnitResult.ShardTrained>(fresh.Shard());
        (second with { Timing = first.Timing }).ShouldBe(first);
        first.Loss.ShouldBeGreaterThan(0);
        first.Cost.ForwardImages.ShouldBeGreaterThanOrEqualTo(first.Cost.BackwardImages);
    }

    [Fact]
    public void Training_through_checkpoints_equals_training_straight()
    {
        using EngineFixture f = new("rounds.shards=1", "rounds.steps=100", "weights.schedule=constant");
        UnitResult.ShardTrained one = f.Run<UnitResult.ShardTrained>(f.Shard());
        UnitResult.ShardTrained two = f.Run<UnitResult.ShardTrained>(f.Shard(input: one.Output, round: 1));
        using EngineFixture again = new("rounds.shards=1", "rounds.steps=100", "weights.schedule=constant");
        BlobRef copied = again.Blobs.Put(f.Blobs.Get(one.Output));
        again.Run<UnitResult.ShardTrained>(again.Shard(input: copied, round: 1)).Output.ShouldBe(two.Output);
        two.Output.ShouldNotBe(one.Output);
    }

    [Fact]
    public void Two_hundred_steps_straight_are_a_hundred_saved_and_a_hundred_more_to_the_bit()
    {
        Architecture a = new("cpu-base", ["k3e3", "k5e3", "k3e6", "k5e1", "k3e3", "k5e6"]);
        using EngineFixture straight = new("retrain.segment-steps=200");
        Digest? whole = straight.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 3, "winner", a, 0, 1, 200, null)).WeightsHash;
        using EngineFixture halves = new("retrain.segment-steps=100");
        BlobRef half = halves.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 3, "winner", a, 0, 2, 200, null)).Output;
        using EngineFixture fresh = new("retrain.segment-steps=100");
        BlobRef carried = fresh.Blobs.Put(halves.Blobs.Get(half));
        fresh.Run<UnitResult.SegmentRetrained>(new WorkUnit.RetrainSegment(
            "retrain/winner/1", 3, "winner", a, 1, 2, 200, carried)).WeightsHash.ShouldBe(whole);
    }

    /// <summary>
    /// The path losses of two shards of two rounds: 2 x 2 x steps of as many paths, in the order of their steps, none of them twice; the
    /// test of a unit run twice is the same.
    /// </summary>
    [Theory]
    [InlineData("0")]
    [InlineData("0.9")]
    public void Path_losses_of_all_rounds_and_shards_are_kept_for_the_test_of_the_blocks(string averageDecay)
    {
        using EngineFixture f = new("rounds.shards=2", "rounds.steps=6", "sampler.paths=3", $"sampler.average-decay={averageDecay}");
        BlobRef? weights = null;
        for (int round = 0; round < 2; round++)
        {
            BlobRef[] shards = [.. Enumerable.Range(0, 2).Select(s => f.Run<UnitResult.ShardTrained>(f.Shard(s, weights, round)).Output)];
            weights = f.Run<UnitResult.RoundMerged>(new WorkUnit.MergeRound($"s1/r{round}/merge", 0, weights, [.. shards], f.Alive)).Output;
        }

        IReadOnlyList<PathLoss> kept = SupernetState.PathLosses(f.Blobs.Get(weights!));
        kept.Select(p => p.Step).ShouldBe(Enumerable.Range(0, 24).SelectMany(s => Enumerable.Repeat(s, 3)));
        kept.ShouldAllBe(p => p.Loss > 0 && p.Blocks.Count == f.Alive.Layers.Count);
        WorkUnit.TestBlocks test = new("s1/e0/effects", 5, weights, f.Alive, 999);
        UnitResult.BlocksTested first = f.Run<UnitResult.BlocksTested>(test);
        (f.Run<UnitResult.BlocksTested>(test) with { Timing = first.Timing }).ShouldBe(first);
        first.Tests.Select(l => l.Sum(t => t.Paths)).ShouldAllBe(n => n == 72);
        first.Tests.SelectMany(l => l).ShouldContain(t => t.Effect > 0 && t.Error > 0);
    }

    /// <summary>
    /// Where the probabilities stay, both see the same paths and train the same weights; the average is of the past as well, so its losses
    /// are others.
    /// </summary>
    [Fact]
    public void A_moving_average_changes_the_path_losses_and_not_the_weights()
    {
        (Dictionary<string, HostTensor> Tensors, IReadOnlyList<PathLoss> Losses) plain = Train("0"), averaged = Train("0.9");
        averaged.Losses.Select(p => p.Blocks).ShouldBe(plain.Losses.Select(p => p.Blocks));
        averaged.Losses.Zip(plain.Losses, (a, b) => a.Loss != b.Loss).ShouldAllBe(differs => differs);
        foreach ((string name, HostTensor weight) in plain.Tensors.Where(t => t.Key.StartsWith("w/", StringComparison.Ordinal)))
        {
            averaged.Tensors[name].Bytes.ShouldBe(weight.Bytes, name);
            averaged.Tensors[$"e/{name[2..]}"].Shape.ShouldBe(weight.Shape);
        }

        averaged.Tensors["e/stem.weight"].Bytes.SequenceEqual(averaged.Tensors["w/stem.weight"].Bytes).ShouldBeFalse();

        static (Dictionary<string, HostTensor>, IReadOnlyList<PathLoss>) Train(string decay)
        {
            using EngineFixture f = new("rounds.steps=12", "architecture.learning-rate=1e-9", $"sampler.average-decay={decay}");
            byte[] state = f.Blobs.Get(f.Run<UnitResult.ShardTrained>(f.Shard()).Output);
            return (Safetensors.Read(state).Tensors, SupernetState.PathLosses(state));
        }
    }

    /// <summary>An average that is asked for in the middle of a search begins at the weights of that moment.</summary>
    [Fact]
    public void A_state_without_averages_can_be_gone_on_with_with_them()
    {
        using EngineFixture plain = new();
        byte[] state = plain.Blobs.Get(plain.Run<UnitResult.ShardTrained>(plain.Shard()).Output);
        using EngineFixture f = new("sampler.average-decay=0.999999");
        byte[] next = f.Blobs.Get(f.Run<UnitResult.ShardTrained>(f.Shard(input: f.Blobs.Put(state), round: 1)).Output);
        (Dictionary<string, HostTensor> before, Dictionary<string, HostTensor> after) =
            (Safetensors.Read(state).Tensors, Safetensors.Read(next).Tensors);
        double moved = Distance(after["w/stem.weight"], before["w/stem.weight"]);
        moved.ShouldBeGreaterThan(0);
        Distance(after["e/stem.weight"], before["w/stem.weight"]).ShouldBeInRange(1e-9, moved);

        static double Distance(HostTensor a, HostTensor b)
        {
            double sum = 0;
            for (int i = 0; i < a.Floats.Length; i++)
                sum += Math.Abs(a.Floats[i] - b.Floats[i]);
            return sum;
        }
    }

    [Fact]
    public void Blocks_outside_the_paths_stay_as_they_were_to_the_bit()
    {
        using EngineFixture f = new("rounds.steps=1");
        UnitResult.ShardTrained warm = f.Run<UnitResult.ShardTrained>(f.Shard(warmup: true));
        UnitResult.ShardTrained next = f.Run<UnitResult.ShardTrained>(f.Shard(input: warm.Output, round: 1, warmup: true));
        (Dictionary<string, HostTensor> before, _) = Safetensors.Read(f.Blobs.Get(warm.Output));
        (Dictionary<string, HostTensor> after, Dictionary<string, string> metadata) = Safetensors.Read(f.Blobs.Get(next.Output));
        string[] untouched = [.. before.Keys.Where(k => k[0] is 'w' or 'm' && k.Contains('.', StringComparison.Ordinal)
            && !metadata.ContainsKey($"steps/{k[2..k.IndexOf('.', StringComparison.Ordinal)]}"))];
        untouched.Length.ShouldBeGreaterThan(100);
        foreach (string name in untouched)
            after[name].Bytes.ShouldBe(before[name].Bytes, name);
        before["w/stem.weight"].Bytes.SequenceEqual(after["w/stem.weight"].Bytes).ShouldBeFalse();
    }

    [Fact]
    public void Merging_shards_weighs_each_block_by_the_steps_that_touched_it()
    {
        using EngineFixture f = new();
        UnitResult.ShardTrained a = f.Run<UnitResult.ShardTrained>(f.Shard(0));
        UnitResult.ShardTrained b = f.Run<UnitResult.ShardTrained>(f.Shard(1));
        a.Output.ShouldNotBe(b.Output);
        UnitResult.RoundMerged merged = f.Run<UnitResult.RoundMerged>(
            new WorkUnit.MergeRound("s1/r0/merge", 0, null, [a.Output, b.Output], f.Alive));
        (Dictionary<string, HostTensor> one, Dictionary<string, string> stepsA) = Safetensors.Read(f.Blobs.Get(a.Output));
        (Dictionary<string, HostTensor> two, Dictionary<string, string> stepsB) = Safetensors.Read(f.Blobs.Get(b.Output));
        (Dictionary<string, HostTensor> result, _) = Safetensors.Read(f.Blobs.Get(merged.Output));
        string onlyA = stepsA.Keys.First(k => k.StartsWith("steps/L", StringComparison.Ordinal) && !stepsB.ContainsKey(k))[6..];
        string name = one.Keys.First(k => k.StartsWith($"w/{onlyA}.", StringComparison.Ordinal));
        for (int i = 0; i < one[name].Floats.Length; i++)
            result[name].Floats[i].ShouldBe(one[name].Floats[i], 1e-6f);
        float middle = (one["w/stem.weight"].Floats[0] + two["w/stem.weight"].Floats[0]) / 2;
        result["w/stem.weight"].Floats[0].ShouldBe(middle, 1e-6f);
        f.Run<UnitResult.ShardTrained>(f.Shard(0, merged.Output, 1)).Loss.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_pruned_supernet_keeps_the_survivors_weights_and_leaves_the_rest_behind()
    {
        using EngineFixture f = new();
        UnitResult.ShardTrained full = f.Run<UnitResult.ShardTrained>(f.Shard());
        AliveBlocks fewer = f.Alive.Without([(0, "k3e1"), (3, "k5e6")]);
        UnitResult.ShardTrained small = f.Run<UnitResult.ShardTrained>(f.Shard(input: full.Output, round: 1, alive: fewer));
        (Dictionary<string, HostTensor> tensors, _) = Safetensors.Read(f.Blobs.Get(small.Output));
        tensors.Keys.Any(k => k.StartsWith("w/L01-k3e1.", StringComparison.Ordinal)).ShouldBeFalse();
        tensors.Keys.Any(k => k.StartsWith("w/L01-k5e1.", StringComparison.Ordinal)).ShouldBeTrue();
        small.Probabilities[0].Count.ShouldBe(5);
    }

    [Fact]
    public void Every_kind_of_unit_runs_and_counts_its_images()
    {
        using EngineFixture f = new();
        UnitResult.DifficultyPoint point = f.Run<UnitResult.DifficultyPoint>(
            new WorkUnit.MeasureDifficulty("difficulty/0/0", 1, 0, 0, null));
        point.Accuracy.Count.ShouldBe(6);
        point.Cost.ShouldBe(new UnitCost((3 * 16) + 24, 3 * 16, point.Cost.ForwardMacs));
        UnitResult.ShardTrained shard = f.Run<UnitResult.ShardTrained>(f.Shard());
        shard.Cost.ForwardImages.ShouldBe(3 * 16 * (1 + f.Config.Sampler.Paths));
        shard.Cost.BackwardImages.ShouldBe(3 * 16);
        UnitResult.BlocksEvaluated blocks = f.Run<UnitResult.BlocksEvaluated>(
            new WorkUnit.EvaluateBlocks("s1/e0/blocks/0", 1, [0, 1, 3, 5], 0, shard.Output, f.Alive, [new(0, "k3e1"), new(2, "k5e6")]));
        blocks.Accuracies.Count.ShouldBe(2);
        Architecture a = new("cpu-base", f.Alive.Layers.Select(l => l[0]).ToValueList());
        f.Run<UnitResult.ArchitectureEvaluated>(new WorkUnit.EvaluateArchitecture(
            "derive/0", 1, 0, a, shard.Output)).Accuracy.ShouldBeInRange(0, 1);
        UnitResult.SegmentRetrained half = f.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 1, "winner", a, 0, 2, 8, null));
        half.TestAccuracy.ShouldBeNull();
        UnitResult.SegmentRetrained last = f.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/1", 1, "winner", a, 1, 2, 8, half.Output));
        last.TestAccuracy.ShouldNotBeNull();
        last.WeightsHash.ShouldBe(WeightsHash.Of(Safetensors.Read(f.Blobs.Get(last.Output)).Tensors));
    }

    /// <summary>
    /// The gate has no gradient where the next layer begins with batch norm (layers 1, 3, 5, 6 of this space); of two paths the other one's
    /// weight has one in every layer. One pass of two blocks a layer: as many images as the
    /// weights' step.
    /// </summary>
    [Fact]
    public void Two_paths_move_the_probabilities_of_every_layer()
    {
        using EngineFixture f = new("sampler.kind=two-path", "evidence.kind=probability", "prune.when=schedule",
            "rounds.steps=12", "cost.lambda=0");
        UnitResult.ShardTrained shard = f.Run<UnitResult.ShardTrained>(f.Shard());
        shard.Cost.ForwardImages.ShouldBe(12 * 16 * 2);
        shard.Cost.BackwardImages.ShouldBe(12 * 16 * 2);
        ArchitectureParameters p = new(f.Alive);
        using (ChainNetwork network = f.Session.Build(f.Alive, null))
        {
            using Optimiser optimiser = new(network, f.Session.Device, 0, new Sgd(0));
            SupernetState.Restore(f.Blobs.Get(shard.Output), network, optimiser, p);
        }

        for (int l = 0; l < 6; l++)
            Enumerable.Range(0, 6).Count(j => Math.Abs(p[l, j].Second) > 1e-14).ShouldBeGreaterThanOrEqualTo(3, $"layer {l + 1}");
        f.Run<UnitResult.ShardTrained>(f.Shard()).Output.ShouldBe(shard.Output);
    }

    [Fact]
    public void A_network_tells_easy_drawn_classes_twice_as_well_as_chance()
    {
        using EngineFixture f = new("data.drawn.hardest=0.1", "retrain.segment-steps=120", "retrain.learning-rate=0.1");
        Architecture a = new("cpu-base", f.Alive.Layers.Select(_ => "k3e3").ToValueList());
        UnitResult.SegmentRetrained trained = f.Run<UnitResult.SegmentRetrained>(
            new WorkUnit.RetrainSegment("retrain/winner/0", 1, "winner", a, 0, 1, 120, null));
        trained.TestAccuracy!.Value.ShouldBeGreaterThan(2.0 / 6);
        trained.Accuracy.ShouldBeGreaterThan(2.0 / 6);
    }

    [Fact]
    public void A_missing_and_a_damaged_blob_are_outcomes_that_name_it()
    {
        using EngineFixture f = new();
        BlobRef missing = new(Digest.Of("nothing"), 1), damaged = f.Run<UnitResult.ShardTrained>(f.Shard()).Output;
        string file = Directory.EnumerateFiles(f.Folder, $"*{damaged.Digest.Hex[2..]}*", SearchOption.AllDirectories).Single();
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        foreach (BlobRef blob in (BlobRef[])[missing, damaged])
        {
            UnitOutcome.Failed failed = f.Engine.Run(f.Shard(input: blob, round: 1), CancellationToken.None)
                .ShouldBeOfType<UnitOutcome.Failed>();
            failed.Kind.ShouldBe(FailureKind.MissingBlob);
            failed.Blob.ShouldBe(blob);
            failed.Cause.ShouldContain(blob.Digest.Hex);
        }
    }

    [Fact]
    public void Divergence_is_an_outcome()
    {
        using EngineFixture f = new("weights.learning-rate=100", "rounds.steps=30");
        f.Engine.Run(f.Shard(), CancellationToken.None).ShouldBeOfType<UnitOutcome.Failed>().Kind.ShouldBe(FailureKind.NotFinite);
    }
}
