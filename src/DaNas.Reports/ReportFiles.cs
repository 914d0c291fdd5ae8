using System.Text;
using System.Text.Json;
using DaNas.Domain.Searches;

namespace DaNas.Reports;

/// <summary>A report as one HTML file that needs no network, or as Markdown.</summary>
internal static class ReportFiles
{
    /// <summary>Escaped for a script element: '&lt;' never stands in it.</summary>
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static string Html(ReportData data) => Html("report.js", $"{data.Title} ({data.Id})", data);

    /// <summary>A page that a script of the product draws from its data.</summary>
    public static string Html(string script, string title, object data) => Resource("report.html")
        .Replace("/*CHART*/", Resource("charts.js").Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase),
            StringComparison.Ordinal)
        .Replace("/*PAGE*/", Resource(script), StringComparison.Ordinal)
        .Replace("<!--TITLE-->", System.Net.WebUtility.HtmlEncode(title), StringComparison.Ordinal)
        .Replace("/*DATA*/null", JsonSerializer.Serialize(data, Options), StringComparison.Ordinal);

    public static string Markdown(ReportData data)
    {
        StringBuilder text = new();
        text.AppendLine(Invariant($"# {data.Title}: {data.Id}")).AppendLine();
        text.AppendLine("| | |\n|---|---|");
        foreach ((string label, string value) in data.Facts)
            text.AppendLine(Invariant($"| {label} | {value} |"));
        text.AppendLine().AppendLine("## Stages").AppendLine();
        text.AppendLine("| stage | classes | blocks before | after | images forward | backward | seconds | loss | accuracy " +
            "|\n|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (StageRow s in data.Stages)
            text.AppendLine(Invariant($"| {s.Name} | {s.Classes} | {s.BlocksBefore} | {s.BlocksAfter} | {s.Images:N0} | " +
                $"{s.BackwardImages:N0} | {s.Seconds:0.0} | {s.Loss:0.0000} | {s.Accuracy:0.0000} |"));
        text.AppendLine().AppendLine("## Models").AppendLine();
        text.AppendLine("| model | architecture | MACs | parameters | test accuracy | supernet accuracy |\n|---|---|---:|---:|---:|---:|");
        foreach (ModelPoint m in data.Models)
            text.AppendLine(Invariant($"| {m.Name}{(m.Won && m.Name != RetrainPlan.Winner ? " (won)" : string.Empty)} | " +
                $"`{m.Architecture}` | {m.Macs:N0} | {m.Parameters:N0} | {m.TestAccuracy:0.0000} | {m.SupernetAccuracy:0.0000} |"));
        if (data.Lost.Count > 0)
            text.AppendLine().AppendLine("## Lost work").AppendLine().AppendLine("| cause | times | seconds |\n|---|---:|---:|");
        foreach (LossRow l in data.Lost)
            text.AppendLine(Invariant($"| {l.Cause} | {l.Times} | {l.Seconds:0.0} |"));
        text.AppendLine().AppendLine("## Configuration").AppendLine().AppendLine("```json")
            .AppendLine(data.Configuration.TrimEnd()).AppendLine("```");
        return text.ToString();
    }

    private static string Resource(string name)
    {
        using StreamReader reader = new(typeof(ReportFiles).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"the build left {name} out"));
        return reader.ReadToEnd();
    }
}
