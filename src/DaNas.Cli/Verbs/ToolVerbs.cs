using System.CommandLine;
using DaNas.Cli.Presentation;
using DaNas.Runtime.Processes;
using DaNas.Runtime.Searches;

namespace DaNas.Cli.Verbs;

/// <summary>doctor and export.</summary>
internal static class ToolVerbs
{
    public static Command Doctor()
    {
        Option<string?> output = Shared.Out();
        Option<bool> json = Shared.Json();
        Command command =
            new("doctor", "Reports what is available on this machine: libtorch, devices, threads, packages, database.") { output, json };
        command.SetAction(parsed => Shared.Guard(() =>
        {
            List<(string What, string Found, bool Good)> rows = [.. MachineCheck.Of(Shared.Folder(parsed, output))];
            if (parsed.GetValue(json))
                Output.PrintJson("doctor", new { checks = rows.Select(r => new { r.What, r.Found, r.Good }).ToArray() });
            else
                Output.PrintTable(["what", "found", ""], rows
                    .Select(r => (IReadOnlyList<string>)[r.What, r.Found, r.Good ? "ok" : "check"]));
            return rows.All(r => r.Good) ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }
}
