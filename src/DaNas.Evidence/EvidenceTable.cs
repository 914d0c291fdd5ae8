using System.Globalization;
using System.Text;

namespace DaNas.Evidence;

/// <summary>One claim's table: what was measured, row by row, and what follows from it in words.</summary>
public sealed record EvidenceTable(string Claim, string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows, IReadOnlyList<string> Findings)
{
    public string ToMarkdown()
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"### {Claim}: {Title}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", Columns)} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|{string.Join("|", Columns.Select((_, i) => i == 0 ? "---" : "---:"))}|");
        foreach (IReadOnlyList<string> row in Rows)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |");
        text.AppendLine();
        foreach (string finding in Findings)
            text.AppendLine(CultureInfo.InvariantCulture, $"- {finding}");
        return text.ToString();
    }
}

/// <summary>All cells of an experiment by arm; the arm that the others are held against.</summary>
public sealed record CellMatrix(string Name, IReadOnlyList<string> Arms, string Reference, IReadOnlyList<CellResult> Cells)
{
    /// <summary>Accuracies within this fraction of each other count as equal.</summary>
    public double Margin { get; init; } = 0.01;

    public IEnumerable<CellResult> Of(string arm) => Cells.Where(c => c.Arm == arm).OrderBy(c => c.Seed);

    public CellResult? At(string arm, long seed) => Cells.FirstOrDefault(c => c.Arm == arm && c.Seed == seed);

    /// <summary>Cells of an arm beside the reference cell of the same seed.</summary>
    public IEnumerable<(CellResult Cell, CellResult Reference)> Paired(string arm) =>
        Of(arm).Select(c => (c, At(Reference, c.Seed))).Where(p => p.Item2 is not null).Select(p => (p.c, p.Item2!));
}
