using Akka.Actor;
using DaNas.Actors.Logging;
using DaNas.Domain.Pruning;
using DaNas.Domain.Values;

namespace DaNas.Actors.Evaluation;

/// <summary>
/// Where one block of one layer stands in a stage: measured, scored, kept or pruned. Decisions are the search's; who follows one block in
/// the log follows this actor.
/// </summary>
public sealed class BlockEvaluatorActor : LoggedActor
{
    private string doing = "Waiting";

    public BlockEvaluatorActor(SearchId id, int stage, int layer, string block)
    {
        Receive<EvaluatorProtocol.Measuring>(m => Does(Invariant($"Measuring round {m.Round}"), null));
        Receive<EvaluatorProtocol.Scored>(m => Does(Invariant(
            $"Scored {m.Score.Score:0.####} [{m.Score.Low:0.####}, {m.Score.High:0.####}]"), Invariant($"{m.Score.Samples} samples")));
        Receive<EvaluatorProtocol.Judged>(m => Does(m.Removal is null ? "Kept" : "Pruned", m.Removal?.Reason));
        Receive<EvaluatorProtocol.Close>(_ => Context.Stop(Self));

        void Does(string next, string? cause)
        {
            if (next != doing)
                Context.Write(new StateChange(LogEvent.EvaluatorChanged, doing, next)
                {
                    Search = id.Text,
                    Stage = stage,
                    Layer = layer + 1,
                    Block = block,
                    Cause = cause
                });
            doing = next;
        }
    }

    public static string NameOf(int layer, string block) => Invariant($"L{layer + 1:00}-{block}");

    public static Props PropsOf(SearchId id, int stage, int layer, string block) =>
        Props.Create(() => new BlockEvaluatorActor(id, stage, layer, block));
}
