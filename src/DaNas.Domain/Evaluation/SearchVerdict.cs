using DaNas.Domain.Architectures;
using DaNas.Domain.Searches;
using DaNas.Domain.Values;

namespace DaNas.Domain.Evaluation;

/// <summary>
/// Whether the winner is better than chance: its place among random architectures of about its cost that were trained and tested in the
/// same way. Were it a random one itself, every place would be as likely, so a place so good or better has the chance Rank / (Controls +
/// 1); ties count against it.
/// </summary>
/// <param name="Difference">Test accuracy of the winner less the controls' mean.</param>
/// <param name="Low">With <paramref name="High"/> the 95 % interval of the difference: Student's, of the controls' mean; how much the
/// winner's own training varies is not in it. Not a number with fewer than two.</param>
/// <param name="Band">How many architectures lie within the tolerance of the winner's MACs.</param>
public sealed record SearchVerdict(int Rank, int Controls, double Chance, double Difference, double Low, double High, double Band)
{
    private const double Level = 0.05;

    /// <summary>Controls that a first place among them needs to be told from luck.</summary>
    private const int Needed = 19;

    /// <summary>A band with fewer architectures offers hardly a choice.</summary>
    private const int Narrow = 50;

    /// <summary>The verdict on a search that is over; null where it has no winner or no controls.</summary>
    public static SearchVerdict? Of(SearchState state)
    {
        if (state.Phase is not SearchPhase.Completed done || state.Selected is not { } selected)
            return null;
        // A training of several seeds counts by its mean.
        (ValueList<RetrainedModel> ours, ValueList<RetrainedModel> theirs) = RetrainPlan.Comparison(done.Models);
        double[] controls = [.. theirs.GroupBy(m => m.Architecture).Select(g => g.Average(m => m.TestAccuracy))];
        if (controls.Length == 0)
            return null;
        double winner = ours.Average(m => m.TestAccuracy);
        ArchitectureBand band = new(state.Space!, selected.Cost.Macs, state.Config!.Controls.Tolerance);
        return Of(winner, controls, band.Count);
    }

    public static SearchVerdict Of(double winner, IReadOnlyList<double> controls, double band)
    {
        int rank = 1 + controls.Count(c => c >= winner);
        double mean = controls.Average();
        double half = double.NaN;
        if (controls.Count > 1)
        {
            double variance = controls.Sum(c => (c - mean) * (c - mean)) / (controls.Count - 1);
            half = Student.Quantile(0.95, controls.Count - 1) * Math.Sqrt(variance / controls.Count);
        }

        return new(rank, controls.Count, rank / (controls.Count + 1.0), winner - mean, winner - mean - half, winner - mean + half, band);
    }

    /// <summary>What follows from the chance, in one sentence.</summary>
    public string Sentence
    {
        get
        {
            string chance = Invariant($"{100 * Chance:0.#} %");
            string verdict = Chance <= Level
                ? Invariant($"better than random: rank {Rank} compared with {Controls} random architectures of equal cost (a random one " +
                    $"would do as well in {chance} of cases)")
                : Rank == 1 && Controls < Needed ? Invariant(
                    $"ahead of all {Controls} random architectures of equal cost (a random one would be in {chance} of cases); at least " +
                        $"{Needed} controls are needed for a verdict")
                : Invariant($"not distinguishable from random (a random architecture would do as well in {chance} of cases): longer " +
                    $"training or a wider search space is needed");
            return Band < Narrow
                ? Invariant($"{verdict}; only {Band:0} architectures of the search space have about the same cost, so there was " +
                    $"little to choose from") : verdict;
        }
    }
}
