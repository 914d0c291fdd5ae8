using System.Globalization;
using System.Text;

namespace DaNas.Evidence;

/// <summary>One claim's table: what was measured, row by row, and what follows from it in words.</summary>
public sealed record EvidenceTable(string Claim, string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows,
    IReadOnlyList<string> Findings)
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
