using Akka.Actor;
using DaNas.Actors.Logging;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Actors.Evaluation;

/// <summary>Between a stage and the evaluator of one block.</summary>
public static class EvaluatorProtocol
{
    /// <summary>All samples that are stored for the block.</summary>
    public sealed record Weigh(ValueList<double> Samples, double Confidence) : INoSerializationVerificationNeeded
    {
        /// <summary>The block's effect, where that is the evidence.</summary>
        public BlockTest? Test { get; init; }
    }

    public sealed record Scored(BlockScore Score) : INoSerializationVerificationNeeded;
}

/// <summary>Owns the evidence for one block of one layer: mean, variance and interval of its samples.</summary>
public sealed class BlockEvaluatorActor : ReceiveActor
{
    private readonly SearchId id;
    private readonly int stage;
    private readonly int layer;
    private readonly string block;
    private string doing = "Waiting";

    public BlockEvaluatorActor(SearchId id, int stage, int layer, string block)
    {
        this.id = id;
        this.stage = stage;
        this.layer = layer;
        this.block = block;
        Receive<EvaluatorProtocol.Weigh>(Score);
    }

    public static string NameOf(int layer, string block) => $"L{layer + 1:00}-{block}";

    protected override void PostStop() => Context.WriteStopped();

    private void Score(EvaluatorProtocol.Weigh weigh)
    {
        BlockScore score = weigh.Test is { } test ? BlockScore.Of(layer, block, test, weigh.Confidence) : BlockScore.Of(layer, block, weigh.Samples, weigh.Confidence);
        string next = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Scored {score.Score:0.####} [{score.Low:0.####}, {score.High:0.####}]");
        Context.Write(new StateChange(LogEvent.EvaluatorChanged, doing, next) { Search = id.Text, Stage = stage, Layer = layer + 1, Block = block });
        doing = next;
        Context.Parent.Tell(new EvaluatorProtocol.Scored(score));
    }
}
