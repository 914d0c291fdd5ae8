using Akka.Actor;
using DaNas.Actors.Logging;
using DaNas.Domain.Evaluation;
using DaNas.Domain.Pruning;
using DaNas.Domain.Values;

namespace DaNas.Actors.Evaluation;

/// <summary>From a stage to the evaluator of one block, in this order.</summary>
public static class EvaluatorProtocol
{
    /// <summary>A round of validation evidence asks for the block; <paramref name="Round"/> from 1.</summary>
    public sealed record Measuring(int Round) : INoSerializationVerificationNeeded;

    /// <summary>The score that the search has stored.</summary>
    public sealed record Scored(BlockScore Score) : INoSerializationVerificationNeeded;

    /// <summary>The end of the stage: why the block left the search; null where it stays.</summary>
    public sealed record Judged(Removal? Removal) : INoSerializationVerificationNeeded;

    /// <summary>The stage is over.</summary>
    public sealed record Close : INoSerializationVerificationNeeded;
}

/// <summary>Where one block of one layer stands in a stage: measured, scored, kept or pruned. Decisions are the search's; who follows one block in the log follows this actor.</summary>
public sealed class BlockEvaluatorActor : LoggedActor
{
    private string doing = "Waiting";

    public BlockEvaluatorActor(SearchId id, int stage, int layer, string block)
    {
        Receive<EvaluatorProtocol.Measuring>(m => Does(Text($"Measuring round {m.Round}"), null));
        Receive<EvaluatorProtocol.Scored>(m => Does(Text($"Scored {m.Score.Score:0.####} [{m.Score.Low:0.####}, {m.Score.High:0.####}]"), Text($"{m.Score.Samples} samples")));
        Receive<EvaluatorProtocol.Judged>(m => Does(m.Removal is null ? "Kept" : "Pruned", m.Removal?.Reason));
        Receive<EvaluatorProtocol.Close>(_ => Context.Stop(Self));

        void Does(string next, string? cause)
        {
            if (next != doing)
                Context.Write(new StateChange(LogEvent.EvaluatorChanged, doing, next) { Search = id.Text, Stage = stage, Layer = layer + 1, Block = block, Cause = cause });
            doing = next;
        }
    }

    public static string NameOf(int layer, string block) => Text($"L{layer + 1:00}-{block}");

    private static string Text(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static Props PropsOf(SearchId id, int stage, int layer, string block) => Props.Create(() => new BlockEvaluatorActor(id, stage, layer, block));
}
