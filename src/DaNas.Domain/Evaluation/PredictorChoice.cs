using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Domain.SearchSpaces;

namespace DaNas.Domain.Evaluation;

/// <summary>
/// Which of the compared architectures a predictor would have chosen, its test accuracy, and its place among them all (ties count against
/// it).
/// </summary>
public sealed record PredictorChoice(string Predictor, string Run, double TestAccuracy, int Place, int Compared)
{
    public override string ToString() => Invariant($"{Predictor.Replace("multiply-adds", "MACs", StringComparison.Ordinal)} {Run} " +
        $"({TestAccuracy:0.0000}, rank {Place} of {Compared})");

    /// <summary>
    /// The choices among the winner and its controls; none where there are no controls. A predictor that the journal does not have of all
    /// of them is left out.
    /// </summary>
    public static IReadOnlyList<PredictorChoice> Of(SearchState state, IEnumerable<SearchEvent> events)
    {
        if (state.Phase is not SearchPhase.Completed done)
            return [];
        (Values.ValueList<RetrainedModel> winner, Values.ValueList<RetrainedModel> controls) = RetrainPlan.Comparison(done.Models);
        if (controls.Count == 0)
            return [];
        // A training of several seeds counts by its mean, under the name of the first.
        (RetrainedModel Model, double Accuracy)[] all = [.. winner.Concat(controls).GroupBy(m => m.Architecture)
            .Select(g => (g.First(), g.Average(m => m.TestAccuracy)))];
        CostTable costs = CostTable.Of(state.Space!);
        Dictionary<string, InitialScores> initial = events.OfType<SearchEvent.SegmentCompleted>().Where(s => s.Initial is not null)
            .GroupBy(s => s.Run).ToDictionary(g => g.Key, g => g.Last().Initial!, StringComparer.Ordinal);
        List<PredictorChoice> choices = [Choice("most multiply-adds", m => costs.Of(m.Architecture).Macs)];
        if (all.Any(x => costs.Of(x.Model.Architecture).Parameters > 0))
            choices.Add(Choice("most parameters", m => costs.Of(m.Architecture).Parameters));
        if (all.All(x => initial.ContainsKey(x.Model.Run)))
            choices.AddRange([Choice("synflow", m => initial[m.Run].LogSynflow),
                Choice("jacobian covariance", m => initial[m.Run].JacobianCovariance)]);
        return choices;

        PredictorChoice Choice(string name, Func<RetrainedModel, double> by)
        {
            (RetrainedModel model, double accuracy) = all.OrderByDescending(x => by(x.Model))
                .ThenBy(x => x.Model.Architecture.Text, StringComparer.Ordinal).First();
            return new(name, model.Run, accuracy, all.Count(x => x.Accuracy >= accuracy), all.Length);
        }
    }
}
