using System.Diagnostics;
using System.Text.RegularExpressions;

namespace DaNas.EndToEnd.Tests;

/// <summary>What people see in a terminal of 80 columns: no word is broken at its edge, unless it is longer than a line.</summary>
public sealed partial class TerminalTests : IDisposable
{
    private const int Columns = 80;

    private readonly Danas danas = new();

    public void Dispose() => danas.Dispose();

    [TerminalFact]
    public void No_verb_writes_over_the_edge_of_a_narrow_terminal()
    {
        danas.Clean();
        string[] verbs =
        [
            "ls", "describe clean", "watch clean", "events clean", "state clean", "state clean --at 20", "replay clean --rule global",
                "explain clean 1/k3e3", "explain clean 1/nope",
            "report clean", "export clean --to handed", "evaluate clean", "validate drill", "estimate drill", "data ls",
                "data show nowhere.png", "journal verify", "blobs verify clean", "doctor",
            "--help", "run --help", "simulate --seeds 2", "validate nowhere.conf", "run drill --set prune.ratio=7",
                "events clean --type nope",
        ];
        List<string> wide = [];
        foreach (string verb in verbs)
        {
            string[] lines = Shown(verb);
            lines.ShouldNotBeEmpty(verb);
            wide.AddRange(lines.Where(l => l.Length > Columns && l.Trim().Contains(' ', StringComparison.Ordinal))
                .Select(l => $"{verb}: {l}"));
        }

        wide.ShouldBeEmpty();
    }

    /// <summary>The lines of a verb as a terminal gets them, without colours.</summary>
    private string[] Shown(string verb)
    {
        ProcessStartInfo info = new("/usr/bin/script")
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = danas.Folder
        };
        foreach (string each in new[] { "-qec", $"stty cols {Columns} rows 50; '{Danas.Executable}' {verb}", "/dev/null" })
            info.ArgumentList.Add(each);
        info.Environment["DANAS_OUT"] = Path.Combine(danas.Folder, "out");
        info.Environment["TERM"] = "xterm";
        using Process process = Process.Start(info)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return [.. Escape().Replace(text, string.Empty).Split('\n').Select(l => l.TrimEnd('\r', ' ').Split('\r')[^1])
            .Where(l => l.Length > 0)];
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TerminalFactAttribute : FactAttribute
    {
        public TerminalFactAttribute() => Skip = File.Exists("/usr/bin/script")
            ? null : "nothing here gives a terminal: install the package bsdutils";
    }

    [GeneratedRegex(@"\x1B(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])")]
    private static partial Regex Escape();
}
