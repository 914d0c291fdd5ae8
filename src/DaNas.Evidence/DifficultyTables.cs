using DaNas.Domain.Evaluation;
using DaNas.Domain.Values;

namespace DaNas.Evidence;

/// <summary>DA1 and DA2: whether difficulty belongs to the classes rather than to the proxy, and whether easy classes converge first.</summary>
public static class DifficultyTables
{
    /// <summary>Rank correlation of difficulty between and within arms (an arm: one proxy path), and with the known difficulty.</summary>
    public static EvidenceTable? Agreement(CellMatrix matrix)
    {
        CellResult[] all = [.. matrix.Cells.Where(c => c.Difficulty.Count > 0)];
        string[] arms = [.. matrix.Arms.Where(a => all.Any(c => c.Arm == a))];
        if (arms.Length < 2)
            return null;
        List<IReadOnlyList<string>> rows = [];
        List<double> between = [];
        foreach (string a in arms)
        {
            List<string> row = [a];
            foreach (string b in arms)
            {
                double[] rho = [.. from x in all where x.Arm == a from y in all where y.Arm == b && (a != b || x.Seed < y.Seed) select RankStatistics.Spearman([.. x.Difficulty], [.. y.Difficulty])];
                row.Add(rho.Length == 0 ? "-" : MeanError.Of(rho).Text("0.00"));
                if (string.CompareOrdinal(a, b) < 0)
                    between.AddRange(rho);
            }

            double[] known = [.. all.Where(c => c.Arm == a && c.KnownDifficulty.Count > 0).Select(c => RankStatistics.Spearman([.. c.Difficulty], [.. c.KnownDifficulty]))];
            row.Add(known.Length == 0 ? "-" : MeanError.Of(known).Text("0.00"));
            rows.Add(row);
        }

        return new("DA1", "Spearman's rho of class difficulty between proxies (all pairs of seeds)", ["proxy", .. arms, "known difficulty"], rows, [Text($"Mean over pairs of different proxies: {MeanError.Of(between).Text("0.00")} (the pass rule asks for more than 0.7).")]);
    }

    /// <summary>Points of the proxy's training that a class needs for 90 % of its final held-out accuracy, easy half against hard half.</summary>
    public static EvidenceTable? Convergence(CellMatrix matrix)
    {
        List<IReadOnlyList<string>> rows = [];
        List<double> easyAll = [], hardAll = [];
        foreach (string arm in matrix.Arms)
        {
            List<double> easy = [], hard = [];
            foreach (CellResult cell in matrix.Of(arm).Where(c => c.Proxies.Count > 0 && c.Proxies[0].Count > 2))
            {
                foreach (ValueList<ValueList<double>> proxy in cell.Proxies)
                    Split(cell, proxy, easy, hard);
            }

            if (easy.Count == 0)
                continue;
            rows.Add([arm, Text($"{Median(easy):0.0}"), Text($"{Median(hard):0.0}"), Text($"{easy.Average():0.00}"), Text($"{hard.Average():0.00}"), Text($"{Significance.MannWhitneyLess(easy, hard):0.0000}")]);
            easyAll.AddRange(easy);
            hardAll.AddRange(hard);
        }

        return rows.Count == 0 ? null : new(
            "DA2",
            "points of training until 90 % of the final accuracy, easier half of the classes against the harder half",
            ["arm", "median easy", "median hard", "mean easy", "mean hard", "p (Mann-Whitney, one-sided)"],
            rows,
            [Text($"All together: median {Median(easyAll):0.0} against {Median(hardAll):0.0}, p = {Significance.MannWhitneyLess(easyAll, hardAll):0.0000}. Halves by the known difficulty where there is one, else by the measured one (which is then not independent of the speed).")]);
    }

    private static void Split(CellResult cell, ValueList<ValueList<double>> proxy, List<double> easy, List<double> hard)
    {
        ValueList<double> difficulty = cell.KnownDifficulty.Count > 0 ? cell.KnownDifficulty : cell.Difficulty;
        double middle = Median(difficulty);
        for (int c = 0; c < difficulty.Count; c++)
        {
            double final = proxy[^1][c];
            if (final <= 0)
                continue; // Never learned: it has no time of convergence.
            int point = Enumerable.Range(0, proxy.Count).First(t => proxy[t][c] >= 0.9 * final) + 1;
            (difficulty[c] <= middle ? easy : hard).Add(point);
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Text(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
