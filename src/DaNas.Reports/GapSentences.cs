using DaNas.Evidence;

namespace DaNas.Reports;

/// <summary>A report of gaps in sentences.</summary>
internal static class GapSentences
{
    /// <summary>One sentence for each gap.</summary>
    public static IEnumerable<string> Of(GapReport r)
    {
        yield return Invariant($"ceiling: the rankings of the {r.Architectures} architectures by two training seeds agree with " +
            $"tau {r.Ceiling.Text}");
        if (!r.HasSignal)
            yield return Invariant($"below {GapReport.LeastCeiling}: at this training length there is hardly any signal to rank, for " +
                $"any predictor; train longer or on more data");
        yield return Invariant($"training gap, Kendall tau-b of supernet and stand-alone (ceiling {r.Ceiling.Value:0.00}): {r.Tau.Text}");
        yield return $"  Spearman: {r.Spearman.Text}";
        yield return $"  Pearson: {r.Pearson.Text}";
        foreach (TrivialPredictor t in r.Trivial)
            yield return $"  {t.Title} instead of the supernet, tau-b: {t.Tau.Text}";
        yield return Invariant($"level: stand-alone minus supernet {r.LevelGap:0.000}; shares of the best found among the supernet's " +
            $"best: {string.Join(", ", r.TopOverlap.Select(o => Invariant($"top {o.Key} {o.Value.Text}")))}");
        yield return Invariant($"regret of the supernet's first choice {r.RegretAtOne.Value:0.000} [{r.RegretAtOne.Low:0.000}, " +
            $"{r.RegretAtOne.High:0.000}], {string.Concat(r.Trivial.Select(t => Invariant($"of {t.Title} {t.Regret.Value:0.000}, ")))}of " +
            $"a random pick {r.RegretOfRandomPick:0.000}");
        yield return Invariant($"discretisation gap: mixed supernet {r.MixedAccuracy:0.000}, sampled paths " +
            $"{r.SampledAccuracy:0.000}, derived path {r.DerivedAccuracy:0.000} (gap {r.Discretisation?.Text ?? "-"} on " +
            $"{r.HeldOutImages:N0} images); mean entropy of a layer {r.MeanEntropy:0.00}");
        if (r.TauOfSetting is { } setting)
            yield return $"setting gap, tau-b of the short recipe and the full recipe: {setting.Text}";
        if (r.WinnerOverRandom is { } over)
            yield return Invariant($"the search's winner minus random architectures of equal cost: {over:+0.0000;-0.0000}");
    }
}
