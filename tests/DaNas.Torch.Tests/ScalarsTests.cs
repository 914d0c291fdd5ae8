using DaNas.Domain.Architectures;
using DaNas.Domain.Values;
using DaNas.Domain.Work;

namespace DaNas.Torch.Tests;

/// <summary>Numbers that libtorch reads live until it has read them, however often the garbage is collected meanwhile.</summary>
public sealed class ScalarsTests
{
    [Fact]
    public void Training_under_a_busy_garbage_collector_gives_the_same_weights()
    {
        Digest? calm = Trained();
        using CancellationTokenSource over = new();
        Thread collector = new(() =>
        {
            while (!over.IsCancellationRequested)
            {
                GC.Collect(0, GCCollectionMode.Forced, true);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            Trained().ShouldBe(calm);
        }
        finally
        {
            over.Cancel();
            collector.Join();
        }
    }

    private static Digest? Trained()
    {
        using EngineFixture f = new("retrain.segment-steps=120", "retrain.mixup=0.2", "retrain.average-decay=0.9");
        Architecture a = new("cpu-base", f.Alive.Layers.Select(_ => "k3e3").ToValueList());
        return f.Run<UnitResult.SegmentRetrained>(new WorkUnit.RetrainSegment(
            "retrain/winner/0", 1, "winner", a, 0, 1, 120, null)).WeightsHash;
    }
}
