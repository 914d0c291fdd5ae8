using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>
/// DA3, DA6 and DA8: whether early rankings of blocks are those of the full search, and whether the block that the full search likes best
/// in a layer is still alive after the prunings.
/// </summary>
public static class SurvivalTables
{
    public static EvidenceTable? Survival(TrialMatrix matrix)
    {
        string[] pruning = [.. matrix.Arms.Where(a => matrix.Paired(a).Any(p => Prunes(p.Trial)))];
        if (pruning.Length == 0 || !matrix.Of(matrix.Reference).Any(c => Final(c) is not null))
            return null;
        List<IReadOnlyList<string>> rows = [];
        foreach (string arm in pruning)
        {
            (TrialResult Trial, TrialResult Reference)[] pairs =
                [.. matrix.Paired(arm).Where(p => Final(p.Reference) is not null && SameSpace(p.Trial, p.Reference))];
            if (pairs.Length == 0)
                continue;
            double[] survival = [.. pairs.Select(p => Survived(p.Trial.Survivors, p.Reference))];
            double[] chance = [.. pairs.Select(p => Chance(p.Trial))];
            double[] ceiling = [.. pairs.SelectMany(p => matrix.Of(matrix.Reference).Where(o => o.Seed != p.Reference.Seed
                && Final(o) is not null).Select(o => Survived(Best(Final(o)!, p.Trial.Survivors), p.Reference)))];
            // One a seed: its layers are not independent.
            double[] taus = [.. pairs.Select(p => Taus(p.Trial, p.Reference).DefaultIfEmpty(double.NaN).Average()).Where(double.IsFinite)];
            rows.Add([
                arm, Invariant($"{pairs.Length}"), MeanError.Of(survival).Text("0.00"), Invariant($"{chance.Average():0.00}"),
                    ceiling.Length == 0 ? "-" : Invariant($"{ceiling.Average():0.00}"),
                Significance.Text(Significance.PairedGreater(survival.Zip(chance, (s, c) => s - c))), MeanError.Of(taus).Text("0.00"),
                    Invariant($"{taus.Count(t => t > 0)} of {taus.Length}"), Significance.Text(Significance.PairedGreater(taus)),
                    Significance.Text(Significance.Sign(pairs.SelectMany(p => Taus(p.Trial, p.Reference))))]);
        }

        if (rows.Count == 0)
            return null;
        double[] between = [.. Agreement(matrix)];
        return new(
            "DA3, DA6, DA8",
            $"survival of the blocks that {matrix.Reference} scores best",
            ["arm", "seeds", "survival of the best block", "chance", "ceiling", "p (paired t over chance)",
                $"tau, first stage against {matrix.Reference}", "seeds with tau > 0", "p (t over 0)", "p (sign test, layers)"],
            rows,
            [
                $"Survival: share of layers whose best block by the last scores of {matrix.Reference} (same seed) is alive after the " +
                    $"last pruning. Ceiling: the same, where the survivors are as many blocks as another seed of {matrix.Reference} " +
                    $"scores best: what the noise of the reference allows.",
                Invariant($"Tau: Kendall's tau-b a layer between an arm's first scores and the last ones of {matrix.Reference}, mean " +
                    $"over layers, then over seeds. Two seeds of {matrix.Reference} agree on their last scores with a mean tau of " +
                    $"{between.DefaultIfEmpty(double.NaN).Average():0.00}; an arm that shares the seed, and so data and first " +
                    $"weights, can lie above it."),
            ]);
    }

    /// <summary>Layers whose best block in the reference survived, as a share.</summary>
    private static double Survived(ValueList<ValueList<string>> survivors, TrialResult reference)
    {
        TrialStage last = Final(reference)!;
        return last.Alive.Select((blocks, l) => survivors[l].Contains(blocks[ArgMax(last.Scores[l])]) ? 1.0 : 0.0).Average();
    }

    private static double Chance(TrialResult trial) => trial.Stages[0].Alive
        .Select((blocks, l) => trial.Survivors[l].Count / (double)blocks.Count).Average();

    /// <summary>The best blocks of a scored stage, as many in each layer as survive elsewhere.</summary>
    private static ValueList<ValueList<string>> Best(TrialStage stage, ValueList<ValueList<string>> like) =>
        stage.Alive.Select((blocks, l) => blocks.Select((b, i) => (b, s: stage.Scores[l][i])).OrderByDescending(x => x.s)
            .Take(like[l].Count).Select(x => x.b).ToValueList()).ToValueList();

    private static bool SameSpace(TrialResult a, TrialResult b) => a.Stages[0].Alive.Count == b.Stages[0].Alive.Count
        && a.Stages[0].Alive.Zip(b.Stages[0].Alive).All(l => l.First.Order().SequenceEqual(l.Second.Order()));

    /// <summary>Kendall's tau-b a layer between an arm's first scores and the reference's last ones.</summary>
    private static IEnumerable<double> Taus(TrialResult trial, TrialResult reference)
    {
        TrialStage? first = trial.Stages.FirstOrDefault(s => s.Scores.Count > 0);
        TrialStage last = Final(reference)!;
        return first is null ? [] : first.Scores.Select((scores, l) =>
            Tau(scores.Zip(first.Alive[l], (s, b) => (s, last.Scores[l][IndexOf(last.Alive[l], b)])))).Where(double.IsFinite);
    }

    /// <summary>Over the blocks that both have scored.</summary>
    private static double Tau(IEnumerable<(double First, double Last)> scores)
    {
        (double First, double Last)[] both = [.. scores.Where(s => double.IsFinite(s.First) && double.IsFinite(s.Last))];
        return both.Length < 2 ? double.NaN : RankStatistics.KendallTauB([.. both.Select(s => s.First)], [.. both.Select(s => s.Last)]);
    }

    private static IEnumerable<double> Agreement(TrialMatrix matrix)
    {
        TrialStage[] all = [.. matrix.Of(matrix.Reference).Select(Final).OfType<TrialStage>()];
        for (int i = 0; i < all.Length; i++)
        {
            for (int j = i + 1; j < all.Length; j++)
            {
                foreach (double tau in all[i].Scores.Select((s, l) => Tau(s.Zip(all[j].Scores[l]))).Where(double.IsFinite))
                    yield return tau;
            }
        }
    }

    /// <summary>The last scores of a search that pruned nothing; null of any other.</summary>
    private static TrialStage? Final(TrialResult trial) => Prunes(trial) ? null : trial.Stages.LastOrDefault(s => s.Scores.Count > 0);

    private static bool Prunes(TrialResult trial) => trial.Stages.Count > 0
        && trial.Survivors.Sum(l => l.Count) < trial.Stages[0].Alive.Sum(l => l.Count);

    private static int ArgMax(ValueList<double> values) => Enumerable.Range(0, values.Count).MaxBy(i => values[i]);

    private static int IndexOf(ValueList<string> blocks, string block) => blocks.TakeWhile(b => b != block).Count();
}
