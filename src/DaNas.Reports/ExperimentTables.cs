using System.Text;
using DaNas.Evidence;
using DaNas.Runtime.Experiments;

namespace DaNas.Reports;

/// <summary>What the results of an experiment say: its tables, and tables.md.</summary>
internal static class ExperimentTables
{
    /// <summary>The tables that the trials which are done allow.</summary>
    public static IReadOnlyList<EvidenceTable> Of(ExperimentPlan plan, TrialMatrix matrix)
    {
        if (plan.Until == ExperimentEnd.FirstScores)
            return AgreementTables.FirstScores(matrix) is { } agreement ? [agreement] : [];
        return plan.Truth is { } truth ? [.. Claims.Of(matrix), TruthTables.Regret(matrix, truth)] : Claims.Of(matrix);
    }

    /// <summary>The experiment, its arms and its tables as Markdown.</summary>
    public static string Markdown(ExperimentPlan plan, IReadOnlyList<TrialResult> done, IReadOnlyList<EvidenceTable> tables)
    {
        StringBuilder text = new();
        text.AppendLine(Invariant($"# {plan.Name}: {done.Count} of {plan.Trials.Count} trials")).AppendLine();
        text.AppendLine(Invariant($"Seeds {string.Join(", ", plan.Seeds)}. Numerics: " +
            $"{string.Join("; ", done.Select(d => d.Numerics).Distinct())}.")).AppendLine();
        text.AppendLine("| arm | changes |\n|---|---|");
        foreach (ExperimentArm arm in plan.Arms)
        {
            string candidates = string.Join(", ", done.Where(d => d.Arm == arm.Name).Select(d => d.EqualCost?.Candidates));
            string cost = arm.CostOf is null ? string.Empty
                : $"random search at the cost of {arm.CostOf} with the same seed (candidates: {candidates}); ";
            string sets = arm.Sets.Count == 0 ? "none" : string.Join(", ", arm.Sets.Select(s => $"`{s}`"));
            text.AppendLine($"| {arm.Name} | {cost}{sets} |");
        }

        foreach (EvidenceTable table in tables)
            text.AppendLine().Append(table.ToMarkdown());
        return text.ToString();
    }
}
