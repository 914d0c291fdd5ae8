using System.CommandLine;
using System.Text;
using DaNas.Cli.Presentation;
using DaNas.Domain.Searches;
using DaNas.Reports;
using DaNas.Runtime.Configuration;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>report: a search as a page that can be looked at, also while it runs.</summary>
internal static class ReportVerb
{
    public static Command Report()
    {
        Argument<string> id = Shared.Id();
        Option<string?> to = Shared.Option<string?>("--to", "FILE.html or FILE.md (default: report.html in the search's folder).");
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command =
            new("report", "Writes a report on a search as a single self-contained HTML file or as Markdown: funnel, heat map, curves, " +
                "costs, winner, provenance.") { id, to, output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            OutputFolder folder = Shared.Folder(parsed, output);
            SearchRecord record = SearchRecord.Load(folder, parsed.GetValue(id)!);
            if (record.State.Phase is SearchPhase.NotStarted)
                throw new UsageException($"search {record.Id} has not started yet");
            string file = Path.GetFullPath(parsed.GetValue(to) ?? Path.Combine(folder.SearchFolder(record.Id), "report.html"));
            ReportData data = new(record, SearchNotes.Read(folder, record.Id));
            string text = Path.GetExtension(file) switch
            {
                ".html" or ".htm" => ReportFiles.Html(data),
                ".md" => ReportFiles.Markdown(data),
                _ => throw new UsageException($"--to {parsed.GetValue(to)}: specify a file name that ends in .html or .md"),
            };
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text, new UTF8Encoding(false));
            if (parsed.GetValue(json))
                Output.PrintJson("report", new { search = record.Id, file, bytes = new FileInfo(file).Length });
            else
                Output.PrintText($"{file} ({record.Status}, {record.Events.Count} events)");
            return ExitCode.Done;
        }));
        return command;
    }
}
