using DaNas.Domain.Values;

namespace DaNas.Domain.Curricula;

/// <summary>
/// Whether a difficulty pass found an order of the classes: the proxies' held-out accuracy, averaged over classes so that common ones do
/// not count more, is clear of chance (3 standard deviations of guessing), and the order that their
/// mean gives would be found again. The latter is Spearman's rho between the seeds, carried over to the mean of all seeds (Spearman 1910,
/// Brown 1910).
/// </summary>
/// <param name="Passes">How many passes it took.</param>
/// <param name="MeasureAgreement">Spearman's rho between the orders by the three measures: auc and variance, auc and loss, variance and
/// loss.</param>
public sealed record DifficultyVerdict(bool IsOrder, double Accuracy, double Chance, double Agreement, int Passes,
    ValueList<double> MeasureAgreement)
{
    public override string ToString() => Invariant(
        $"{(IsOrder ? "order of difficulty" : "no order of difficulty")} after {Passes} pass(es): proxies at {100 * Accuracy:0.0} % " +
            $"held-out accuracy (chance {100 * Chance:0.0} %), reliability between seeds {Agreement:0.00}; rho of auc and variance " +
            $"{MeasureAgreement[0]:0.00}, auc and loss {MeasureAgreement[1]:0.00}, variance and loss {MeasureAgreement[2]:0.00}");
}
